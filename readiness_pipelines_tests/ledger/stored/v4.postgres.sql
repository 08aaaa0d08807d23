CREATE TABLE ledger_attempts (
	attempt VARCHAR(64) NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	run_id VARCHAR(200) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	begun_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	outcome TEXT, 
	PRIMARY KEY (attempt)
);
CREATE INDEX ledger_attempts_open ON ledger_attempts (ended_at);
INSERT INTO "ledger_attempts" VALUES ('1', 'shop.orders', 'day_1', 'r1', 'me', '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00', 'partly_published');
INSERT INTO "ledger_attempts" VALUES ('2', 'shop.orders', 'day_2', 'r2', 'me', '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00', 'it''s 100 % broken: disk full');
CREATE TABLE ledger_batches (
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	state VARCHAR(30) NOT NULL, 
	ingested BIGINT NOT NULL, 
	published BIGINT NOT NULL, 
	quarantined BIGINT NOT NULL, 
	discarded BIGINT NOT NULL, 
	unreadable BIGINT NOT NULL, 
	raw_snapshot BIGINT, 
	quarantine_snapshot BIGINT, 
	published_snapshot BIGINT, 
	gate_version VARCHAR(64), 
	run_id VARCHAR(200), 
	attempt VARCHAR(64), 
	reason TEXT, 
	inputs JSON NOT NULL, 
	origins JSON NOT NULL, 
	arrival VARCHAR(200), 
	columns JSON NOT NULL, 
	newest_event_at TIMESTAMP WITH TIME ZONE, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	PRIMARY KEY (table_name, batch)
);
INSERT INTO "ledger_batches" VALUES ('shop.orders', 'day_1', 'partly_published', '3', '2', '1', '0', '0', NULL, NULL, NULL, NULL, 'r1', '1', NULL, '{"shop_raw.orders": {"day_1": 4611686018427387904}}', '[]', NULL, '[]', NULL, '2026-01-31 12:00:00+00');
INSERT INTO "ledger_batches" VALUES ('shop.orders', 'day_2', 'held', '3', '0', '3', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '[]', NULL, '[]', NULL, '2026-01-31 12:00:00+00');
INSERT INTO "ledger_batches" VALUES ('shop.paid', 'day_1', 'published', '3', '3', '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"shop.orders": {"*": 7}}', '[]', NULL, '[]', '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00');
INSERT INTO "ledger_batches" VALUES ('shop_raw.orders', 'day_1', 'ingested', '3', '0', '0', '0', '0', '4611686018427387904', NULL, NULL, NULL, NULL, NULL, NULL, '{}', '[{"name": "orders/day_1/a.csv", "fingerprint": "00ff", "bytes": 42, "arrived_at": "2026-01-31T11:00:00+00:00"}]', NULL, '[{"name": "Order ID", "type": "string", "stored": "order_id"}]', NULL, '2026-01-31 12:00:00+00');
CREATE TABLE ledger_claims (
	id BIGSERIAL NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	module TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_claims_table ON ledger_claims (table_name);
INSERT INTO "ledger_claims" VALUES ('1', 'shop.orders', 'shop.tables', 'ann', 'Shop export', '2026-01-31 12:00:00+00', 'readiness', 'first delivery');
SELECT setval(pg_get_serial_sequence('ledger_claims', 'id'), max(id)) FROM "ledger_claims";
CREATE OR REPLACE FUNCTION ledger_claims_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER ledger_claims_append_only BEFORE UPDATE OR DELETE ON ledger_claims
        FOR EACH ROW EXECUTE FUNCTION ledger_claims_append_only();
CREATE TABLE ledger_decisions (
	id BIGSERIAL NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	verb VARCHAR(60) NOT NULL, 
	content JSON NOT NULL, 
	text TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_decisions_batch ON ledger_decisions (table_name, batch);
INSERT INTO "ledger_decisions" VALUES ('1', 'shop.orders', 'day_2', '2026-01-31 12:00:00+00', 'ann', 'known', 'discard', '{"kind": "discard", "where": "a = ''x''"}', 'rows where a');
INSERT INTO "ledger_decisions" VALUES ('2', 'shop.orders', 'day_2', '2026-01-31 13:00:00+00', 'bob', 'no', 'undo', '{"kind": "undo", "decision": 1}', 'decision 1');
SELECT setval(pg_get_serial_sequence('ledger_decisions', 'id'), max(id)) FROM "ledger_decisions";
CREATE OR REPLACE FUNCTION ledger_decisions_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER ledger_decisions_append_only BEFORE UPDATE OR DELETE ON ledger_decisions
        FOR EACH ROW EXECUTE FUNCTION ledger_decisions_append_only();
CREATE TABLE ledger_findings (
	id BIGSERIAL NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	measured VARCHAR(200) NOT NULL, 
	column_name VARCHAR(500), 
	promised TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	details JSON NOT NULL, 
	found_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	normal_at TIMESTAMP WITH TIME ZONE, 
	normal_by VARCHAR(200), 
	normal_why TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_findings_batch ON ledger_findings (table_name, batch);
INSERT INTO "ledger_findings" VALUES ('1', 'shop.orders', 'day_1', 'volume', 'rows', NULL, '9 rows', '3 rows', '{}', '2026-01-31 12:00:00+00', NULL, NULL, NULL);
SELECT setval(pg_get_serial_sequence('ledger_findings', 'id'), max(id)) FROM "ledger_findings";
CREATE TABLE ledger_gates (
	table_name VARCHAR(200) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	declaration JSON NOT NULL, 
	first_used_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	PRIMARY KEY (table_name, version)
);
INSERT INTO "ledger_gates" VALUES ('shop.orders', 'g1', '{"rules": ["a"]}', '2026-01-31 12:00:00+00');
CREATE TABLE ledger_incident_events (
	id BIGSERIAL NOT NULL, 
	incident BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	what VARCHAR(60) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_incident_events_incident ON ledger_incident_events (incident);
INSERT INTO "ledger_incident_events" VALUES ('1', '1', '2026-01-31 12:00:00+00', 'opened', 'readiness', 'nothing');
SELECT setval(pg_get_serial_sequence('ledger_incident_events', 'id'), max(id)) FROM "ledger_incident_events";
CREATE OR REPLACE FUNCTION ledger_incident_events_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER ledger_incident_events_append_only BEFORE UPDATE OR DELETE ON ledger_incident_events
        FOR EACH ROW EXECUTE FUNCTION ledger_incident_events_append_only();
CREATE TABLE ledger_incidents (
	id BIGSERIAL NOT NULL, 
	subject VARCHAR(800) NOT NULL, 
	state VARCHAR(30) NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	severity VARCHAR(200) NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200), 
	promised TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	way_out TEXT NOT NULL, 
	answers TEXT NOT NULL, 
	details JSON NOT NULL, 
	at_risk JSON NOT NULL, 
	since TIMESTAMP WITH TIME ZONE NOT NULL, 
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	notified_at TIMESTAMP WITH TIME ZONE, 
	acknowledged_at TIMESTAMP WITH TIME ZONE, 
	acknowledged_by VARCHAR(200), 
	resolved_at TIMESTAMP WITH TIME ZONE, 
	resolved_by VARCHAR(200), 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_incidents_state ON ledger_incidents (state);
CREATE INDEX ledger_incidents_subject ON ledger_incidents (subject);
CREATE INDEX ledger_incidents_table ON ledger_incidents (table_name);
INSERT INTO "ledger_incidents" VALUES ('1', 'freshness:shop.orders:', 'open', 'freshness', 'warn', 'shop.orders', NULL, '26h', 'nothing', '', '', '[]', '["refund_rate"]', '2026-01-31 11:00:00+00', '2026-01-31 12:00:00+00', NULL, NULL, NULL, NULL, NULL);
SELECT setval(pg_get_serial_sequence('ledger_incidents', 'id'), max(id)) FROM "ledger_incidents";
CREATE TABLE ledger_messages (
	id BIGSERIAL NOT NULL, 
	channel VARCHAR(200) NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	written_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	next_try_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	tries INTEGER NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE, 
	error TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_messages_unsent ON ledger_messages (sent_at, next_try_at);
INSERT INTO "ledger_messages" VALUES ('1', 'mail', 'late', 'shop.orders is late', '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00', '0', NULL, NULL);
SELECT setval(pg_get_serial_sequence('ledger_messages', 'id'), max(id)) FROM "ledger_messages";
CREATE TABLE ledger_replay_requests (
	id BIGSERIAL NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	state VARCHAR(30) NOT NULL, 
	run_id VARCHAR(200), 
	outcome TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_replay_requests_state ON ledger_replay_requests (state);
INSERT INTO "ledger_replay_requests" VALUES ('1', 'shop.orders', 'day_2', '2026-01-31 12:00:00+00', 'ann', 'mended', 'open', NULL, NULL);
SELECT setval(pg_get_serial_sequence('ledger_replay_requests', 'id'), max(id)) FROM "ledger_replay_requests";
CREATE TABLE ledger_shapes (
	id BIGSERIAL NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	columns JSON NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_shapes_table ON ledger_shapes (table_name);
INSERT INTO "ledger_shapes" VALUES ('1', 'shop.orders', 'day_1', '{"Order ID": "string"}', '2026-01-31 12:00:00+00', 'readiness', 'first seen');
SELECT setval(pg_get_serial_sequence('ledger_shapes', 'id'), max(id)) FROM "ledger_shapes";
CREATE OR REPLACE FUNCTION ledger_shapes_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER ledger_shapes_append_only BEFORE UPDATE OR DELETE ON ledger_shapes
        FOR EACH ROW EXECUTE FUNCTION ledger_shapes_append_only();
CREATE TABLE ledger_silences (
	id BIGSERIAL NOT NULL, 
	tables VARCHAR(200) NOT NULL, 
	begins_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_silences" VALUES ('1', 'shop.*', '2026-01-31 12:00:00+00', '2026-01-31 13:00:00+00', 'ann', 'migration');
SELECT setval(pg_get_serial_sequence('ledger_silences', 'id'), max(id)) FROM "ledger_silences";
CREATE TABLE ledger_told (
	channel VARCHAR(200) NOT NULL, 
	incident BIGINT NOT NULL, 
	what VARCHAR(100) NOT NULL, 
	message BIGINT NOT NULL, 
	PRIMARY KEY (channel, incident, what)
);
INSERT INTO "ledger_told" VALUES ('mail', '1', 'open', '1');
CREATE TABLE ledger_trail (
	id BIGSERIAL NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	what VARCHAR(60) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT, 
	run_id VARCHAR(200), 
	attempt VARCHAR(64), 
	details JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ledger_trail_batch ON ledger_trail (table_name, batch);
INSERT INTO "ledger_trail" VALUES ('1', 'shop_raw.orders', 'day_1', '2026-01-31 12:00:00+00', 'ingested', 'me', NULL, NULL, NULL, '{"counts": {"ingested": 3, "published": 0, "quarantined": 0, "discarded": 0}, "snapshots": {"raw": 4611686018427387904, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES ('2', 'shop.orders', 'day_1', '2026-01-31 12:00:00+00', 'partly_published', 'me', NULL, 'r1', '1', '{"counts": {"ingested": 3, "published": 2, "quarantined": 1, "discarded": 0}, "snapshots": {"raw": null, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES ('3', 'shop.paid', 'day_1', '2026-01-31 12:00:00+00', 'published', 'me', NULL, NULL, NULL, '{"counts": {"ingested": 3, "published": 3, "quarantined": 0, "discarded": 0}, "snapshots": {"raw": null, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES ('4', 'shop.orders', 'day_2', '2026-01-31 12:00:00+00', 'held', 'me', 'too many', NULL, NULL, '{"counts": {"ingested": 3, "published": 0, "quarantined": 3, "discarded": 0}, "snapshots": {"raw": null, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES ('5', 'shop.orders', 'day_2', '2026-01-31 12:00:00+00', 'failed', 'me', 'it''s 100 % broken: disk full', 'r2', '2', '{}');
INSERT INTO "ledger_trail" VALUES ('6', 'shop.orders', 'day_2', '2026-01-31 12:00:00+00', 'decided to discard', 'ann', 'known', NULL, NULL, '{"decision": 1, "what": "rows where a"}');
INSERT INTO "ledger_trail" VALUES ('7', 'shop.orders', 'day_2', '2026-01-31 13:00:00+00', 'decided to undo', 'bob', 'no', NULL, NULL, '{"decision": 2, "what": "decision 1"}');
INSERT INTO "ledger_trail" VALUES ('8', 'shop.orders', 'day_2', '2026-01-31 12:00:00+00', 'replay requested', 'ann', 'mended', NULL, NULL, '{"request": 1}');
SELECT setval(pg_get_serial_sequence('ledger_trail', 'id'), max(id)) FROM "ledger_trail";
CREATE OR REPLACE FUNCTION ledger_trail_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER ledger_trail_append_only BEFORE UPDATE OR DELETE ON ledger_trail
        FOR EACH ROW EXECUTE FUNCTION ledger_trail_append_only();
CREATE TABLE ledger_version (
	version SERIAL NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "ledger_version" VALUES ('4');
CREATE TABLE ledger_watched_tables (
	table_name VARCHAR(200) NOT NULL, 
	state VARCHAR(30) NOT NULL, 
	watched_since TIMESTAMP WITH TIME ZONE NOT NULL, 
	looked_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	PRIMARY KEY (table_name)
);
INSERT INTO "ledger_watched_tables" VALUES ('shop.orders', 'late', '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00');
INSERT INTO "ledger_watched_tables" VALUES ('shop.paid', 'fresh', '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00');
