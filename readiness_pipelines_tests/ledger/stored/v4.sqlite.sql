BEGIN TRANSACTION;
CREATE TABLE ledger_attempts (
	attempt VARCHAR(64) NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	run_id VARCHAR(200) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	begun_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	outcome TEXT, 
	PRIMARY KEY (attempt)
);
INSERT INTO "ledger_attempts" VALUES('1','shop.orders','day_1','r1','me','2026-01-31 12:00:00.000000','2026-01-31 12:00:00.000000','partly_published');
INSERT INTO "ledger_attempts" VALUES('2','shop.orders','day_2','r2','me','2026-01-31 12:00:00.000000','2026-01-31 12:00:00.000000','it''s 100 % broken: disk full');
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
	newest_event_at DATETIME, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (table_name, batch)
);
INSERT INTO "ledger_batches" VALUES('shop_raw.orders','day_1','ingested',3,0,0,0,0,4611686018427387904,NULL,NULL,NULL,NULL,NULL,NULL,'{}','[{"name": "orders/day_1/a.csv", "fingerprint": "00ff", "bytes": 42, "arrived_at": "2026-01-31T11:00:00+00:00"}]',NULL,'[{"name": "Order ID", "type": "string", "stored": "order_id"}]',NULL,'2026-01-31 12:00:00.000000');
INSERT INTO "ledger_batches" VALUES('shop.orders','day_1','partly_published',3,2,1,0,0,NULL,NULL,NULL,NULL,'r1','1',NULL,'{"shop_raw.orders": {"day_1": 4611686018427387904}}','[]',NULL,'[]',NULL,'2026-01-31 12:00:00.000000');
INSERT INTO "ledger_batches" VALUES('shop.paid','day_1','published',3,3,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{"shop.orders": {"*": 7}}','[]',NULL,'[]','2026-01-31 12:00:00.000000','2026-01-31 12:00:00.000000');
INSERT INTO "ledger_batches" VALUES('shop.orders','day_2','held',3,0,3,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}','[]',NULL,'[]',NULL,'2026-01-31 12:00:00.000000');
CREATE TABLE ledger_claims (
	id INTEGER NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	module TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_claims" VALUES(1,'shop.orders','shop.tables','ann','Shop export','2026-01-31 12:00:00.000000','readiness','first delivery');
CREATE TABLE ledger_decisions (
	id INTEGER NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	verb VARCHAR(60) NOT NULL, 
	content JSON NOT NULL, 
	text TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_decisions" VALUES(1,'shop.orders','day_2','2026-01-31 12:00:00.000000','ann','known','discard','{"kind": "discard", "where": "a = ''x''"}','rows where a');
INSERT INTO "ledger_decisions" VALUES(2,'shop.orders','day_2','2026-01-31 13:00:00.000000','bob','no','undo','{"kind": "undo", "decision": 1}','decision 1');
CREATE TABLE ledger_findings (
	id INTEGER NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	measured VARCHAR(200) NOT NULL, 
	column_name VARCHAR(500), 
	promised TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	details JSON NOT NULL, 
	found_at DATETIME NOT NULL, 
	normal_at DATETIME, 
	normal_by VARCHAR(200), 
	normal_why TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_findings" VALUES(1,'shop.orders','day_1','volume','rows',NULL,'9 rows','3 rows','{}','2026-01-31 12:00:00.000000',NULL,NULL,NULL);
CREATE TABLE ledger_gates (
	table_name VARCHAR(200) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	declaration JSON NOT NULL, 
	first_used_at DATETIME NOT NULL, 
	PRIMARY KEY (table_name, version)
);
INSERT INTO "ledger_gates" VALUES('shop.orders','g1','{"rules": ["a"]}','2026-01-31 12:00:00.000000');
CREATE TABLE ledger_incident_events (
	id INTEGER NOT NULL, 
	incident BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	what VARCHAR(60) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_incident_events" VALUES(1,1,'2026-01-31 12:00:00.000000','opened','readiness','nothing');
CREATE TABLE ledger_incidents (
	id INTEGER NOT NULL, 
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
	since DATETIME NOT NULL, 
	opened_at DATETIME NOT NULL, 
	notified_at DATETIME, 
	acknowledged_at DATETIME, 
	acknowledged_by VARCHAR(200), 
	resolved_at DATETIME, 
	resolved_by VARCHAR(200), 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_incidents" VALUES(1,'freshness:shop.orders:','open','freshness','warn','shop.orders',NULL,'26h','nothing','','','[]','["refund_rate"]','2026-01-31 11:00:00.000000','2026-01-31 12:00:00.000000',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE ledger_messages (
	id INTEGER NOT NULL, 
	channel VARCHAR(200) NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	written_at DATETIME NOT NULL, 
	next_try_at DATETIME NOT NULL, 
	tries INTEGER NOT NULL, 
	sent_at DATETIME, 
	error TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_messages" VALUES(1,'mail','late','shop.orders is late','2026-01-31 12:00:00.000000','2026-01-31 12:00:00.000000',0,NULL,NULL);
CREATE TABLE ledger_replay_requests (
	id INTEGER NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	state VARCHAR(30) NOT NULL, 
	run_id VARCHAR(200), 
	outcome TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_replay_requests" VALUES(1,'shop.orders','day_2','2026-01-31 12:00:00.000000','ann','mended','open',NULL,NULL);
CREATE TABLE ledger_shapes (
	id INTEGER NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	columns JSON NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_shapes" VALUES(1,'shop.orders','day_1','{"Order ID": "string"}','2026-01-31 12:00:00.000000','readiness','first seen');
CREATE TABLE ledger_silences (
	id INTEGER NOT NULL, 
	tables VARCHAR(200) NOT NULL, 
	begins_at DATETIME NOT NULL, 
	ends_at DATETIME NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_silences" VALUES(1,'shop.*','2026-01-31 12:00:00.000000','2026-01-31 13:00:00.000000','ann','migration');
CREATE TABLE ledger_told (
	channel VARCHAR(200) NOT NULL, 
	incident BIGINT NOT NULL, 
	what VARCHAR(100) NOT NULL, 
	message BIGINT NOT NULL, 
	PRIMARY KEY (channel, incident, what)
);
INSERT INTO "ledger_told" VALUES('mail',1,'open',1);
CREATE TABLE ledger_trail (
	id INTEGER NOT NULL, 
	table_name VARCHAR(200) NOT NULL, 
	batch VARCHAR(200) NOT NULL, 
	at DATETIME NOT NULL, 
	what VARCHAR(60) NOT NULL, 
	who VARCHAR(200) NOT NULL, 
	why TEXT, 
	run_id VARCHAR(200), 
	attempt VARCHAR(64), 
	details JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "ledger_trail" VALUES(1,'shop_raw.orders','day_1','2026-01-31 12:00:00.000000','ingested','me',NULL,NULL,NULL,'{"counts": {"ingested": 3, "published": 0, "quarantined": 0, "discarded": 0}, "snapshots": {"raw": 4611686018427387904, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES(2,'shop.orders','day_1','2026-01-31 12:00:00.000000','partly_published','me',NULL,'r1','1','{"counts": {"ingested": 3, "published": 2, "quarantined": 1, "discarded": 0}, "snapshots": {"raw": null, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES(3,'shop.paid','day_1','2026-01-31 12:00:00.000000','published','me',NULL,NULL,NULL,'{"counts": {"ingested": 3, "published": 3, "quarantined": 0, "discarded": 0}, "snapshots": {"raw": null, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES(4,'shop.orders','day_2','2026-01-31 12:00:00.000000','held','me','too many',NULL,NULL,'{"counts": {"ingested": 3, "published": 0, "quarantined": 3, "discarded": 0}, "snapshots": {"raw": null, "quarantine": null, "published": null}}');
INSERT INTO "ledger_trail" VALUES(5,'shop.orders','day_2','2026-01-31 12:00:00.000000','failed','me','it''s 100 % broken: disk full','r2','2','{}');
INSERT INTO "ledger_trail" VALUES(6,'shop.orders','day_2','2026-01-31 12:00:00.000000','decided to discard','ann','known',NULL,NULL,'{"decision": 1, "what": "rows where a"}');
INSERT INTO "ledger_trail" VALUES(7,'shop.orders','day_2','2026-01-31 13:00:00.000000','decided to undo','bob','no',NULL,NULL,'{"decision": 2, "what": "decision 1"}');
INSERT INTO "ledger_trail" VALUES(8,'shop.orders','day_2','2026-01-31 12:00:00.000000','replay requested','ann','mended',NULL,NULL,'{"request": 1}');
CREATE TABLE ledger_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "ledger_version" VALUES(4);
CREATE TABLE ledger_watched_tables (
	table_name VARCHAR(200) NOT NULL, 
	state VARCHAR(30) NOT NULL, 
	watched_since DATETIME NOT NULL, 
	looked_at DATETIME NOT NULL, 
	PRIMARY KEY (table_name)
);
INSERT INTO "ledger_watched_tables" VALUES('shop.orders','late','2026-01-31 12:00:00.000000','2026-01-31 12:00:00.000000');
INSERT INTO "ledger_watched_tables" VALUES('shop.paid','fresh','2026-01-31 12:00:00.000000','2026-01-31 12:00:00.000000');
CREATE INDEX ledger_attempts_open ON ledger_attempts (ended_at);
CREATE INDEX ledger_trail_batch ON ledger_trail (table_name, batch);
CREATE INDEX ledger_decisions_batch ON ledger_decisions (table_name, batch);
CREATE INDEX ledger_replay_requests_state ON ledger_replay_requests (state);
CREATE INDEX ledger_incidents_subject ON ledger_incidents (subject);
CREATE INDEX ledger_incidents_state ON ledger_incidents (state);
CREATE INDEX ledger_incidents_table ON ledger_incidents (table_name);
CREATE INDEX ledger_incident_events_incident ON ledger_incident_events (incident);
CREATE INDEX ledger_findings_batch ON ledger_findings (table_name, batch);
CREATE INDEX ledger_messages_unsent ON ledger_messages (sent_at, next_try_at);
CREATE INDEX ledger_shapes_table ON ledger_shapes (table_name);
CREATE INDEX ledger_claims_table ON ledger_claims (table_name);
CREATE TRIGGER ledger_trail_no_update BEFORE update ON ledger_trail BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_trail_no_delete BEFORE delete ON ledger_trail BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_decisions_no_update BEFORE update ON ledger_decisions BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_decisions_no_delete BEFORE delete ON ledger_decisions BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_incident_events_no_update BEFORE update ON ledger_incident_events BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_incident_events_no_delete BEFORE delete ON ledger_incident_events BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_shapes_no_update BEFORE update ON ledger_shapes BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_shapes_no_delete BEFORE delete ON ledger_shapes BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_claims_no_update BEFORE update ON ledger_claims BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_claims_no_delete BEFORE delete ON ledger_claims BEGIN SELECT RAISE(ABORT, 'append-only'); END;
COMMIT;
