"""What columns about persons are about: by which names, and by which values, each is known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from readiness_pipelines.contracts.classification import Classification, PersonalKind
from readiness_pipelines.detection import patterns
from readiness_pipelines.detection.given_names import has_given_name
from readiness_pipelines.detection.national_ids import PLAIN, PUNCTUATED, US_SSN_PLAIN, passes
from readiness_pipelines.detection.phones import is_international, may_be_written

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTopic:
    """Something that a column about persons can be about.

    Attributes:
        what: What its values are, for people, in the plural.
        kind: What such a value does; ``None`` where it is not personal but secret.
        names: Phrases in a column's name, as `hint_in` reads them.
        test: What a value must be for the topic to be sure; ``None`` where values say nothing.
        checked: What the test checks, for people.
        share: Share of the values that must pass for the topic to be sure, where the column's name says so, too.
        alone: The same where the name says nothing; ``None`` where values alone are never enough.
        shape: What a value must at least look like where the name says so, for the topic to be likely.
        least: So many different values must pass for values alone to be enough.
        only_beside: Whether it narrows persons down only in a table that has other columns about them: a city, a job.
        never_sure: Whether it stays a guess whatever the values are.
        vague: Whether its names are those of other things, too: without values they say nothing.
        level: How carefully such values must be handled, outside of health.
        numbers: Whether columns of numbers with decimals may be about it.
        health: Whether it is about somebody's health.
    """

    what: str
    kind: PersonalKind | None
    names: tuple[str, ...] = ()
    test: Test | None = None
    checked: str = ""
    share: float = 0.5
    alone: float | None = None
    shape: Test | None = None
    least: int = 3
    only_beside: bool = False
    never_sure: bool = False
    vague: bool = False
    level: Classification = Classification.PII
    numbers: bool = False
    health: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _is_sex(text: str) -> bool:
    return text.strip(". ").casefold() in _SEXES


_SEXES = frozenset(
    _words("""m f male female man woman boy girl w d div divers mannlich männlich weiblich h homme femme masculin
    féminin feminin hombre mujer v varon varón masculino femenino feminino maschio femmina uomo donna vrouw
    mannelijk vrouwelijk mies nainen kvinna kvinde mand kobieta mężczyzna mezczyzna k erkek kadın kadin х м ж
    мужской женский мужчина женщина 男 女 男性 女性 남 여 nonbinary non-binary nb x other u unknown transgender 0
    1 2 9""")
) | {"unknown/invalid", "not specified", "prefer not to say"}  # fmt: skip


_OLDEST = 125


def _is_age(text: str) -> bool:
    plain = text.strip("[]() +<>=")
    parts = [part.strip() for part in plain.replace("–", "-").split("-")]
    try:
        return len(parts) in (1, 2) and all(0 <= float(part) <= _OLDEST for part in parts)
    except ValueError:
        return False


_ORIGINS = frozenset(
    _words("""caucasian white black asian hispanic latino latina african african-american africanamerican native
    indian pacific islander mixed multiracial other unknown european american arab jewish chinese japanese roma
    christian catholic protestant muslim buddhist hindu atheist orthodox sikh evangelical""")
)  # fmt: skip


_MOST_WORDS = 6
"""As in "Black or African American"."""


def _is_origin(text: str) -> bool:
    words = text.casefold().replace("/", " ").replace("-", " ").split()
    return len(words) <= _MOST_WORDS and any(word in _ORIGINS for word in words)


_STATES = frozenset(
    _words("""single married divorced widowed separated partnered partnership union never ledig verheiratet
    geschieden verwitwet celibataire célibataire marie marié mariée divorce divorcé veuf veuve soltero soltera
    casado casada divorciado divorciada viudo viuda celibe nubile coniugato coniugata vedovo vedova m s d w""")
)  # fmt: skip


def _is_marital(text: str) -> bool:
    return bool(set(text.casefold().replace("-", " ").replace("/", " ").split()) & _STATES)


def _is_word(text: str) -> bool:
    return any(letter.isalpha() for letter in text) and len(text) <= 80  # noqa: PLR2004  # no sentence


def _is_number(text: str) -> bool:
    return any(letter.isdigit() for letter in text) and len(text) <= 24  # noqa: PLR2004  # an amount


def _is_any(_text: str) -> bool:
    return True


def _is_code(text: str) -> bool:
    return patterns.is_numbered(text) and len(text) >= 2  # noqa: PLR2004  # more than a flag


def _is_national(text: str) -> bool:
    return any(passes(one, text) for one in (*PUNCTUATED.values(), *PLAIN.values(), US_SSN_PLAIN))


def _is_health_code(text: str) -> bool:
    return len(text) <= 120  # noqa: PLR2004  # a term


_CONTACT_PERSON = """contactname contactperson *ansprechpartner"""
_NATIONAL_NAMES = _words("""
    ssn socialsecurity socialsecurityno socialsecuritynumber nationalid nationalidnumber nationalinsurance nino
    nin nhsnumber nhsno insuranceno idcard idcardnumber identitycard identitynumber taxid taxidentification tin
    itin taxpayerid svnr sozialversicherungsnummer rentenversicherungsnummer steuerid steuernummer
    steueridentifikationsnummer ausweisnummer personalausweis personalausweisnummer numsecu numerosecu nir
    numeross secu numerosecuritesociale securitesociale dni nie nif curp rfc seguridadsocial codicefiscale
    *fiscale bsn burgerservicenummer rijksregisternummer pesel nip personnummer personnr fodselsnummer cprnummer
    cprnr henkilotunnus hetu cpf aadhaar aadhar pan pannumber ahv ahvnr ahvnummer avs rodnecislo tckimlik tckn
    kimlikno mynumber sin snils inn tajszam nas sin jmbg cnp oib рнокпп інн инн снилс паспорт 身份证 身份证号
    身份證 マイナンバー 주민등록번호
    """)

TOPICS: tuple[ColumnTopic, ...] = (
    ColumnTopic(
        what="e-mail addresses", kind=PersonalKind.DIRECT, test=patterns.is_email, checked="their syntax", share=0.2,
        alone=0.5,
        names=_words("""*email *emails mail emailaddress emailadresse emailaddr mailaddress *mailadresse courriel
            adressemail correo correoelectronico postaelettronica epost eposta sahkoposti почта эл почта
            электроннаяпочта 邮箱 电子邮件 電子メール メール メールアドレス 이메일"""),
    ),
    ColumnTopic(
        what="telephone numbers", kind=PersonalKind.DIRECT,
        test=is_international, checked="their country codes", share=0.5,
        alone=0.7, shape=may_be_written,
        names=_words("""*phone *phones phoneno phonenr *phonenumber *phonenum telephoneno *telephonenumber tel
            telno telnr telefon telefonnr *telefonnummer *telefon *telefoon telefoonnummer *telefono telefone
            numerotelefono *telephone numerodetelephone portable mobile mobileno mobilenumber mobil mobilnummer
            mobiltelefon handy handynummer cell cellphone cellno celular cellulare movil fax faxno faxnumber
            faxnummer puhelin *puhelinnumero kontaktnummer msisdn callernumber calledparty whatsapp rufnummer gsm
            telefonu телефон тел telefonszam telemovel mobiltelefonszam мобильный 电话 电话号码 手机 手机号 電話
            電話番号 携帯電話 전화 전화번호 휴대폰"""),
    ),
    ColumnTopic(
        what="account numbers (IBAN)", kind=PersonalKind.ID,
        test=patterns.is_iban, checked="their check digits (mod 97)",
        share=0.2, alone=0.5,
        names=_words("iban *iban ibannumber"),
    ),
    ColumnTopic(
        what="card numbers", kind=PersonalKind.ID,
        test=patterns.is_card, checked="issuer ranges and check digits (Luhn)",
        share=0.5, alone=0.85, least=5, shape=patterns.may_be_card, numbers=True,
        names=_words("""ccnum ccno ccnumber cardnum cardno cardnumber creditcard creditcardnumber creditcardno
            debitcard debitcardnumber paymentcard pan cardpan *kreditkarte kreditkartennummer kartennummer
            cartebancaire numerocarte numerodecarte tarjeta numerotarjeta numerodetarjeta tarjetadecredito
            cartadicredito numerocarta cartao numerocartao *creditcardnumber cc номеркарты номеркартки
            korttinumero kortnummer kartyaszam cislokarty kartno numerkarty numtarjeta 信用卡号 银行卡号
            カード番号 카드번호"""),
    ),
    *(
        ColumnTopic(
            what=what, kind=PersonalKind.DIRECT, test=partial(passes, validator),
            checked="their shape and check digits", share=0.5, alone=0.9, least=5,
        )
        for what, validator in PUNCTUATED.items()
    ),
    *(
        ColumnTopic(
            what=what, kind=PersonalKind.DIRECT, test=partial(passes, validator),
            checked="their check digits", share=0.5, alone=0.97, least=20,
        )
        for what, validator in PLAIN.items()
    ),
    ColumnTopic(
        what="national identity, tax or insurance numbers", kind=PersonalKind.DIRECT, test=_is_national,
        checked="check digits or ranges of one of the numbers that are known", share=0.5, shape=_is_code,
        names=_NATIONAL_NAMES,
    ),
    ColumnTopic(
        what="numbers of passports, licences or plates", kind=PersonalKind.ID,
        test=_is_code, checked="letters and digits",
        share=0.8,
        names=_words("""passport passportno passportnumber passportnum reisepass passnummer reisepassnummer
            numeropasseport passeport pasaporte passaporto paspoort driverlicense driverslicense drivinglicence
            drivinglicense driverlicence licensenumber driverlicenseno fuhrerschein fuhrerscheinnummer
            permisconduire numeropermis licensedeconducir licenciaconducir patente rijbewijs licenseplate
            licenceplate numberplate plateno platenumber kennzeichen immatriculation plaqueimmatriculation
            matricula targa kenteken registreringsnummer rejestracja номеравто 차량번호 ナンバープレート pasnr
            passinnumero cislopasu utlevel passnummer 护照号 护照 passaporte
            paszport pasaport placa placas plaka plaque rekisterinumero rendszam spz vehicleregno
            vehicleregistration numbervehicle registreringsnummer nummerplade registracni 车牌 ナンバープレート
            номеравто госномер パスポート番号 여권번호"""),
    ),
    ColumnTopic(
        what="IP addresses", kind=PersonalKind.ID,
        test=patterns.is_ip_address, checked="their syntax", share=0.5, alone=0.9,
        names=_words("""ip ipaddress ipaddr *ipaddress clientip remoteip userip sourceip ipv ipadresse adresseip
            direccionip indirizzoip remoteaddr ip地址 ipアドレス"""),
    ),
    ColumnTopic(
        what="hardware addresses of devices", kind=PersonalKind.ID,
        test=patterns.is_mac_address, checked="their syntax",
        share=0.5, alone=0.8, names=_words("mac macaddress macaddr *macaddress bssid"),
    ),
    ColumnTopic(
        what="numbers of devices", kind=PersonalKind.ID, test=_is_code, checked="letters and digits",
        share=0.8, never_sure=True,
        names=_words("imei imsi meid udid idfa gaid advertisingid androidid cookieid"),
    ),
    ColumnTopic(
        what="numbers of patients", kind=PersonalKind.ID,
        test=patterns.is_mrn, checked="how they are marked", share=0.3,
        alone=0.6, health=True, shape=_is_code,
        names=_words("mrn mrnumber medicalrecord medicalrecordno medicalrecordnumber"),
    ),
    ColumnTopic(
        what="numbers of persons", kind=PersonalKind.ID, test=_is_code, checked="letters and digits", share=0.9,
        names=_words("""patientid patientno patientnr patientnbr patientnum patientnumber patientkey
            patientidentifier patientennummer patientennr patientenid personid personno personnumber personid
            personkey memberid memberno membernumber mitgliedsnummer insuredid insuranceid versichertennummer
            versichertennr krankenkassennummer healthinsurancenumber beneficiaryid subscriberid policyholderid
            employeeid employeeno employeenumber employeenr empid empno staffid personalnummer mitarbeiternr
            mitarbeiternummer mitarbeiterid matricule studentid studentno matrikelnummer citizenid residentid
            guestid passengerid donorid numerodepatient idpatient idpaciente numeropaciente idpaziente idempleado
            numerodossier encounterid encounterno fallnummer admissionid 病人编号 患者id 患者番号 员工编号
            社員番号 환자번호"""),
    ),
    ColumnTopic(
        what="numbers of customers or users", kind=PersonalKind.ID,
        test=_is_code, checked="letters and digits", share=0.9,
        never_sure=True,
        names=_words("""customerid customerno customernumber custid custno customerkey clientid clientno
            kundennummer kundennr kundenid kundenr numeroclient idclient idcliente numerocliente klantnummer
            userid userkey accountid accountholder visitorid subscriberkey driverid riderid 客户编号 用户id
            顧客番号 고객번호"""),
    ),
    ColumnTopic(
        what="numbers of bank accounts", kind=PersonalKind.ID, test=_is_code, checked="digits", share=0.8,
        names=_words("""bankaccount bankaccountno bankaccountnumber accountnumber accountno acctno acctnum
            kontonummer kontonr bban numerodecompte numerocompte cuentabancaria numerocuenta numerodecuenta
            contocorrente rekeningnummer 银行账号 口座番号 계좌번호"""),
    ),
    ColumnTopic(
        what="names of persons", kind=PersonalKind.DIRECT,
        test=patterns.is_name, checked="letters, few words", share=0.8,
        names=_words(f"""firstname lastname surname forename givenname familyname fullname middlename maidenname
            mothersmaidenname nickname legalname preferredname fname lname mname initials firstnames lastnames
            surnames *firstname *lastname *surname personname patientname customername clientname employeename
            employeefullname empname studentname membername contactname guestname passengername drivername
            doctorname physicianname nursename ownername holdername accountholdername cardholder cardholdername
            recipientname sendername payeename beneficiaryname nameoncard {_CONTACT_PERSON} vorname nachname
            familienname *vorname *nachname zuname geburtsname rufname =名 =성 ім'я імя kundenname patientenname
            mitarbeitername
            vollername vorundnachname ansprechpartnername nomdefamille prenom prenoms nomprenom nomcomplet
            nompatient nomclient =nom =nombre nombres apellido apellidos nombrecompleto primerapellido
            segundoapellido nombrecliente =nome cognome nomecognome nomecompleto sobrenome primeironome apelido
            nomecliente ragionenome voornaam achternaam naamklant =naam imie nazwisko imieinazwisko fornamn
            efternamn forename etunimi sukunimi fornavn etternavn efternavn soyadi adsoyad =ad =isim krestnijmeno
            jmeno prijmeni keresztnev vezeteknev имя фамилия отчество фио полноеимя ім'я прізвище піб fuldenavn
            kokonimi celejmeno teljesnev primernombre nomfamille fullname 姓名 名字 姓
            客户姓名 患者姓名 氏名 名前 お名前 患者氏名 이름 성명 성함"""),
    ),
    ColumnTopic(
        what="names of persons", kind=PersonalKind.DIRECT, test=has_given_name, checked="common given names in them",
        share=0.3, alone=0.5, least=10, vague=True,
        names=_words("""=name =names =person =patient =customer =client =employee =contact =driver =doctor
            =physician =author =owner =recipient =sender =assignee =kunde =klient =mitarbeiter =arzt =fahrer
            =paciente =cliente =empleado =paziente =dipendente =medecin =salarie =beneficiary =cardholder
            =passenger =guest =student =agent createdby updatedby signedby approvedby attendingphysician manager
            supervisor reportsto emergencycontact nextofkin *betreuer spouse ehepartner"""),
    ),
    ColumnTopic(
        what="names of user accounts", kind=PersonalKind.ID,
        test=patterns.is_user_name, checked="one word with letters",
        share=0.8,
        names=_words("""username userlogin *username loginname login screenname twitterhandle handle
            benutzername 아이디
            benutzer anmeldename nomutilisateur identifiant usuario nombreusuario nomeutente gebruikersnaam
            kullaniciadi uzytkownik anvandarnamn brugernavn kayttajatunnus uzivatel felhasznalonev utilizador
            логін логин 用户名 ユーザー名 사용자명"""),
    ),
    ColumnTopic(
        what="addresses", kind=PersonalKind.DIRECT,
        test=patterns.is_street, checked="street words with a number", share=0.3,
        alone=0.6, shape=patterns.may_be_street,
        names=_words("""address addressline *address addr addrline streetaddress homeaddress mailingaddress
            billingaddress shippingaddress deliveryaddress postaladdress residence street streetname streetno
            strasse strassenname strasseundhausnummer strassehausnummer anschrift sokak 街道 wohnadresse adresse
            adressezeile
            lieferadresse rechnungsadresse adressepostale rue direccion calle domicilio indirizzo via endereco
            morada rua adres straatnaam straat ulica gatuadress adress gateadresse osoite katuosoite adresi cim
            utca адрес адреса вулиця улица adresa ulice gade 도로명 地址 住址 家庭住址 住所 주소"""),
    ),
    ColumnTopic(
        what="postal codes", kind=PersonalKind.QUASI, test=patterns.is_postal_code, checked="their shape", share=0.7,
        only_beside=True, never_sure=True,
        names=_words("""zip zipcode zipplus zip_code *zipcode postal postalcode postcode postcode *postcode
            postnummer postleitzahl *postleitzahl plz codepostal cp codigopostal cap cep postakodu kodpocztowy
            postinumero
            postnr psc irsz индекс почтовыйиндекс індекс iranyitoszam pincode 邮编 邮政编码 郵便番号 우편번호"""),
    ),
    ColumnTopic(
        what="dates of birth", kind=PersonalKind.QUASI, test=patterns.is_day, checked="dates", share=0.6,
        names=_words("""dob birthdate dateofbirth birthday birthdt birthday birthyear yearofbirth yob bday
            borndate bornon =born birthdateofpatient dateborn
            =geboren geborenam =ne =nee geburtsdatum *geburtsdatum geburtstag gebdatum gebdat
            geburtsjahr datedenaissance datenaissance naissance fechadenacimiento fechanacimiento fnacimiento
            nacimiento datadinascita datanascita nascita datadenascimento datanascimento nascimento geboortedatum
            dataurodzenia fodelsedatum fodselsdato syntymaaika dogumtarihi datumnarozeni szuletesidatum
            датарождения народження датанародження рождения 出生日期 生日 生年月日 誕生日 생년월일 생일"""),
    ),
    ColumnTopic(
        what="sexes or genders", kind=PersonalKind.QUASI, test=_is_sex, checked="words for them", share=0.8,
        names=_words("""gender sex geschlecht sexe genre sexo genero sesso genere geslacht plec kon kjonn kon
            sukupuoli cinsiyet pohlavi nem пол 性别 性別 성별 anrede salutation genderidentity patientsex"""),
    ),
    ColumnTopic(
        what="ages", kind=PersonalKind.QUASI, test=_is_age, checked="years of a life", share=0.9,
        names=_words("""=age patientage agepatient customerage ageyears ageinyears agegroup agerange ageband
            ageatadmission ageatdiagnosis =alter altersgruppe patientenalter lebensalter =edad =idade =eta
            =leeftijd =wiek =alder =ika =yas возраст 年龄 年齢 나이 연령"""),
        numbers=True,
    ),
    ColumnTopic(
        what="origins or beliefs", kind=PersonalKind.QUASI, test=_is_origin, checked="words for them",
        share=0.3, shape=_is_word,
        names=_words("""race ethnicity ethnic ethnicgroup ethnicorigin raceethnicity religion religiousaffiliation
            konfession religionszugehorigkeit raza etnia origineethnique caste tribe 民族 宗教"""),
    ),
    ColumnTopic(
        what="nationalities", kind=PersonalKind.QUASI, test=_is_word, checked="words", share=0.8, only_beside=True,
        never_sure=True,
        names=_words("""nationality citizenship countryofbirth placeofbirth birthplace birthcountry
            staatsangehorigkeit nationalitat geburtsort geburtsland nationalite lieudenaissance lieunaissance
            nacionalidad lugarnacimiento nazionalita luogodinascita cittadinanza nacionalidade geboorteplaats
            narodowosc obywatelstwo гражданство 国籍 국적"""),
    ),
    ColumnTopic(
        what="marital states", kind=PersonalKind.QUASI, test=_is_marital, checked="words for them", share=0.6,
        names=_words("""maritalstatus marital familienstand zivilstand situationfamiliale etatcivil estadocivil
            statocivile burgerlijkestaat stancywilny civilstand семейноеположение 婚姻状况 婚姻"""),
    ),
    ColumnTopic(
        what="places where persons live", kind=PersonalKind.QUASI, test=_is_word, checked="words", share=0.8,
        only_beside=True,
        never_sure=True,
        names=_words("""city town village municipality homecity residencecity ort stadt wohnort місто varos
            mesto област gemeinde ville
            commune localidad ciudad municipio citta comune cidade plaats stad woonplaats gemeente miasto kommun
            kaupunki sehir ilce mesto state province county region residencestate bundesland kanton departement
            provincia regione estado город область 城市 市 省 都道府県 市区町村 도시"""),
    ),
    ColumnTopic(
        what="where persons are, in degrees", kind=PersonalKind.QUASI, test=patterns.is_coordinate,
        checked="degrees", share=0.9,
        only_beside=True, never_sure=True, numbers=True,
        names=_words("""=lat =latitude =lon =lng =long =longitude homelat homelon homelatitude homelongitude
            userlat userlon customerlat customerlong gpslat gpslon breitengrad langengrad"""),
    ),
    ColumnTopic(
        what="occupations", kind=PersonalKind.QUASI, test=_is_word, checked="words", share=0.8,
        only_beside=True, never_sure=True,
        names=_words("""job jobtitle occupation profession beruf berufsbezeichnung metier poste ocupacion
            profesion puesto professione ocupacao profissao beroep zawod yrke ammatti meslek employer arbeitgeber
            employeur професія профессия stilling povolani foglalkozas emploi должность 职业 职位 職業 직업"""),
    ),
    ColumnTopic(
        what="incomes", kind=PersonalKind.QUASI,
        test=_is_number, checked="numbers", share=0.8, numbers=True, never_sure=True,
        names=_words("""salary income annualincome householdincome wage wages creditscore ficoscore grosspay
            netpay gehalt bruttogehalt einkommen lohn salaire revenu salario ingresos reddito stipendio renda
            inkomen pensja lonn palkka maas зарплата 收入 工资 年収 급여"""),
    ),
    ColumnTopic(
        what="diagnoses, findings or treatments", kind=PersonalKind.QUASI, test=_is_health_code,
        checked="short texts", share=0.8,
        health=True, only_beside=True, never_sure=True,
        names=_words("""diagnosis diag diagnose diagnosen icd icdcode diagnosiscode diagnosticcode medication
            symptom symptoms befund treatment therapy allergies allergy bloodtype bloodgroup blutgruppe
            comorbidity disease condition diagnostic diagnostico medicamento diagnosi farmaco choroba rozpoznanie
            hba a1c a1cresult glucose bmi диагноз 诊断 診断 病名 진단"""),
    ),
    ColumnTopic(
        what="passwords", kind=None, test=_is_any, checked="that there are values", share=0.5,
        level=Classification.CONFIDENTIAL,
        names=_words("""password passwd passwort pwd motdepasse contrasena parola haslo wachtwoord
            пароль 密码 パスワード 비밀번호"""),
    ),
)  # fmt: skip
"""What is looked for, the more particular first."""

FREE_TEXT_NAMES = _words("""
    note notes comment comments remark remarks freetext narrative clinicalnote clinicalnotes progressnote
    dischargesummary anamnesis anamnese befundtext bemerkung bemerkungen kommentar kommentare notiz notizen
    anmerkung anmerkungen freitext commentaire commentaires remarque remarques observaciones comentario
    comentarios notas osservazioni commenti opmerking opmerkingen uwagi komentarz message messages messagetext
    body emailbody transcript conversation chat feedback complaint beschwerde ticketdescription casedescription
    примечание комментарий 备注 注释 備考 メモ 비고
    """)
"""Names of columns that may say anything about anybody."""

HEALTH_NAMES = _words("""
    patient patientid patientnbr patientno diag diagnosis diagnose icd medication symptom befund mrn encounter
    admission discharge hospital clinic physician prescription lab patienten paciente paziente 患者 病人 환자
    пациент
    """)
"""Names of columns of tables that are about the health of persons."""
