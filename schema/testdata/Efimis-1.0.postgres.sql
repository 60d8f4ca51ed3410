-- Efimis ETL 1.0 (Efimis-1.0) for PostgreSQL 15 and later.

create schema if not exists "production";

create schema if not exists "staging";

create table if not exists "production"."currency" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "code" varchar(3) not null,
    "name" varchar(100) not null,
    "symbol" varchar(5),
    "decimal_places" integer,
    "exchange_rate" numeric(18,8),
    "is_base" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."currency" is 'A currency in which the firm keeps money or bills.';

comment on column "production"."currency"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."currency"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."currency"."code" is 'ISO 4217 code.';

comment on column "production"."currency"."name" is 'Name of the currency.';

comment on column "production"."currency"."symbol" is 'Sign used on documents.';

comment on column "production"."currency"."decimal_places" is 'Digits after the point, 2 if absent.';

comment on column "production"."currency"."exchange_rate" is 'Units of the base currency for one unit of this one.';

comment on column "production"."currency"."is_base" is 'Whether it is the currency of the firm''s books.';

comment on column "production"."currency"."created_by" is 'Who made the record in the source system.';

comment on column "production"."currency"."created_on" is 'When the record was made.';

comment on column "production"."currency"."updated_by" is 'Who changed the record last.';

comment on column "production"."currency"."updated_on" is 'When the record was changed last.';

comment on column "production"."currency"."_import" is 'The import that wrote the row last.';

comment on column "production"."currency"."_created_at" is 'When the row was first promoted.';

comment on column "production"."currency"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."currency"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."currency"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."currency" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "decimal_places" integer,
    "is_base" boolean,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "code" varchar(3),
    "name" varchar(100),
    "symbol" varchar(5),
    "exchange_rate" numeric(18,8),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."office" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(100) not null,
    "code" varchar(20),
    "address_line1" varchar(200),
    "address_line2" varchar(200),
    "city" varchar(100),
    "state" varchar(50),
    "post_code" varchar(20),
    "country" varchar(60),
    "phone" varchar(50),
    "email" varchar(254),
    "tax_number" varchar(30),
    "currency" varchar(3),
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."office" is 'An office or branch of the firm.';

comment on column "production"."office"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."office"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."office"."name" is 'Name of the office.';

comment on column "production"."office"."code" is 'Short code.';

comment on column "production"."office"."address_line1" is 'First line of the address.';

comment on column "production"."office"."address_line2" is 'Second line.';

comment on column "production"."office"."city" is 'Suburb, town or city.';

comment on column "production"."office"."state" is 'State or county.';

comment on column "production"."office"."post_code" is 'Post code.';

comment on column "production"."office"."country" is 'Country.';

comment on column "production"."office"."phone" is 'Phone number.';

comment on column "production"."office"."email" is 'E-mail address.';

comment on column "production"."office"."tax_number" is 'ABN or VAT registration number.';

comment on column "production"."office"."currency" is 'ISO code of the office''s currency; the base currency if absent.';

comment on column "production"."office"."is_active" is 'Whether the office is in use.';

comment on column "production"."office"."created_by" is 'Who made the record in the source system.';

comment on column "production"."office"."created_on" is 'When the record was made.';

comment on column "production"."office"."updated_by" is 'Who changed the record last.';

comment on column "production"."office"."updated_on" is 'When the record was changed last.';

comment on column "production"."office"."_import" is 'The import that wrote the row last.';

comment on column "production"."office"."_created_at" is 'When the row was first promoted.';

comment on column "production"."office"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."office"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."office"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."office" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "is_active" boolean,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(100),
    "code" varchar(20),
    "address_line1" varchar(200),
    "address_line2" varchar(200),
    "city" varchar(100),
    "state" varchar(50),
    "post_code" varchar(20),
    "country" varchar(60),
    "phone" varchar(50),
    "email" varchar(254),
    "tax_number" varchar(30),
    "currency" varchar(3),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."employee" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "sort_name" varchar(200) not null,
    "first_name" varchar(100),
    "last_name" varchar(100),
    "initials" varchar(10),
    "title" varchar(100),
    "role" smallint,
    "office_id" text,
    "manager_id" text,
    "email" varchar(254),
    "phone" varchar(50),
    "default_rate" numeric(19,4),
    "start_date" date,
    "end_date" date,
    "is_fee_earner" boolean,
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."employee" is 'Somebody who works for the firm: fee earners and support.';

comment on column "production"."employee"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."employee"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."employee"."sort_name" is 'The name as it is sorted in lists, last name first.';

comment on column "production"."employee"."first_name" is 'First name.';

comment on column "production"."employee"."last_name" is 'Last name.';

comment on column "production"."employee"."initials" is 'Initials as used on files.';

comment on column "production"."employee"."title" is 'Position.';

comment on column "production"."employee"."role" is 'Kind of position. EmployeeRole: 0 Partner, 1 Solicitor, 2 Paralegal, 3 Support, 4 Other.';

comment on column "production"."employee"."office_id" is 'The office of the employee. References office.id.';

comment on column "production"."employee"."manager_id" is 'The employee to whom this one reports. References employee.id.';

comment on column "production"."employee"."email" is 'E-mail address at work.';

comment on column "production"."employee"."phone" is 'Phone number at work.';

comment on column "production"."employee"."default_rate" is 'Charge per hour, before tax.';

comment on column "production"."employee"."start_date" is 'First day with the firm.';

comment on column "production"."employee"."end_date" is 'Last day with the firm.';

comment on column "production"."employee"."is_fee_earner" is 'Whether the employee records time.';

comment on column "production"."employee"."is_active" is 'Whether the employee is with the firm.';

comment on column "production"."employee"."created_by" is 'Who made the record in the source system.';

comment on column "production"."employee"."created_on" is 'When the record was made.';

comment on column "production"."employee"."updated_by" is 'Who changed the record last.';

comment on column "production"."employee"."updated_on" is 'When the record was changed last.';

comment on column "production"."employee"."_import" is 'The import that wrote the row last.';

comment on column "production"."employee"."_created_at" is 'When the row was first promoted.';

comment on column "production"."employee"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."employee"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."employee"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."employee" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "start_date" date,
    "end_date" date,
    "role" smallint,
    "is_fee_earner" boolean,
    "is_active" boolean,
    "office_id" uuid,
    "manager_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "sort_name" varchar(200),
    "first_name" varchar(100),
    "last_name" varchar(100),
    "initials" varchar(10),
    "title" varchar(100),
    "email" varchar(254),
    "phone" varchar(50),
    "default_rate" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."journal" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(100) not null,
    "type" smallint not null,
    "code" varchar(20),
    "description" varchar(500),
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."journal" is 'A book of the ledger, for the firm''s own money or for clients'' money.';

comment on column "production"."journal"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."journal"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."journal"."name" is 'Name of the journal.';

comment on column "production"."journal"."type" is 'Office or trust. JournalType: 0 Office, 1 Trust.';

comment on column "production"."journal"."code" is 'Short code.';

comment on column "production"."journal"."description" is 'What it is for.';

comment on column "production"."journal"."is_active" is 'Whether it is in use.';

comment on column "production"."journal"."created_by" is 'Who made the record in the source system.';

comment on column "production"."journal"."created_on" is 'When the record was made.';

comment on column "production"."journal"."updated_by" is 'Who changed the record last.';

comment on column "production"."journal"."updated_on" is 'When the record was changed last.';

comment on column "production"."journal"."_import" is 'The import that wrote the row last.';

comment on column "production"."journal"."_created_at" is 'When the row was first promoted.';

comment on column "production"."journal"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."journal"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."journal"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."journal" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "type" smallint,
    "is_active" boolean,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(100),
    "code" varchar(20),
    "description" varchar(500),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."account" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(200) not null,
    "description" varchar(1000),
    "journal_id" text,
    "parent_account_id" text,
    "type" smallint not null,
    "account_roles" varchar(500),
    "account_category" smallint not null,
    "account_code" varchar(50),
    "bank_name" varchar(100),
    "bank_bsb" varchar(20),
    "bank_account_number" varchar(34),
    "tax_code" varchar(20),
    "currency" varchar(3),
    "balance" numeric(19,4),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."account" is 'An account of the general ledger. The system is provisioned with a default chart of accounts.';

comment on column "production"."account"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."account"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."account"."name" is 'Name of the account.';

comment on column "production"."account"."description" is 'What is posted to it.';

comment on column "production"."account"."journal_id" is 'The journal to which it belongs. References journal.id.';

comment on column "production"."account"."parent_account_id" is 'The account under which it is summed up. References account.id.';

comment on column "production"."account"."type" is 'Kind of the account. AccountType: 0 Bank, 1 TrustBank, 2 AccountsReceivable, 3 CurrentAsset, 4 FixedAsset, 5 AccountsPayable, 6 CurrentLiability, 7 LongTermLiability, 8 ClientFunds, 9 Equity, 10 Income, 11 OtherIncome, 12 CostOfSales, 13 Expense, 14 OtherExpense.';

comment on column "production"."account"."account_roles" is 'What the system uses it for. Not supported yet by the receiving side.';

comment on column "production"."account"."account_category" is 'Side of the accounts. AccountCategory: 0 Asset, 1 Liability, 2 Equity, 3 Revenue, 4 Expense.';

comment on column "production"."account"."account_code" is 'Code in the chart of accounts.';

comment on column "production"."account"."bank_name" is 'Name of the bank, of a bank account.';

comment on column "production"."account"."bank_bsb" is 'BSB or sort code, of a bank account.';

comment on column "production"."account"."bank_account_number" is 'Account number or IBAN, of a bank account.';

comment on column "production"."account"."tax_code" is 'Code of the tax that applies as a rule.';

comment on column "production"."account"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."account"."balance" is 'Balance at the time of the export, debit positive.';

comment on column "production"."account"."created_by" is 'Who made the record in the source system.';

comment on column "production"."account"."created_on" is 'When the record was made.';

comment on column "production"."account"."updated_by" is 'Who changed the record last.';

comment on column "production"."account"."updated_on" is 'When the record was changed last.';

comment on column "production"."account"."_import" is 'The import that wrote the row last.';

comment on column "production"."account"."_created_at" is 'When the row was first promoted.';

comment on column "production"."account"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."account"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."account"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."account" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "type" smallint,
    "account_category" smallint,
    "journal_id" uuid,
    "parent_account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(200),
    "description" varchar(1000),
    "account_roles" varchar(500),
    "account_code" varchar(50),
    "bank_name" varchar(100),
    "bank_bsb" varchar(20),
    "bank_account_number" varchar(34),
    "tax_code" varchar(20),
    "currency" varchar(3),
    "balance" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."tax_code" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "code" varchar(20) not null,
    "description" varchar(200),
    "rate" numeric(9,6) not null,
    "tax_collected_account_id" text,
    "tax_paid_account_id" text,
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."tax_code" is 'A rate of GST or VAT.';

comment on column "production"."tax_code"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."tax_code"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."tax_code"."code" is 'Short code. Other tables name the tax by it.';

comment on column "production"."tax_code"."description" is 'What it applies to.';

comment on column "production"."tax_code"."rate" is 'Per cent: 10 for ten per cent.';

comment on column "production"."tax_code"."tax_collected_account_id" is 'The account of tax on sales. References account.id.';

comment on column "production"."tax_code"."tax_paid_account_id" is 'The account of tax on purchases. References account.id.';

comment on column "production"."tax_code"."is_active" is 'Whether it is in use.';

comment on column "production"."tax_code"."created_by" is 'Who made the record in the source system.';

comment on column "production"."tax_code"."created_on" is 'When the record was made.';

comment on column "production"."tax_code"."updated_by" is 'Who changed the record last.';

comment on column "production"."tax_code"."updated_on" is 'When the record was changed last.';

comment on column "production"."tax_code"."_import" is 'The import that wrote the row last.';

comment on column "production"."tax_code"."_created_at" is 'When the row was first promoted.';

comment on column "production"."tax_code"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."tax_code"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."tax_code"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."tax_code" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "is_active" boolean,
    "tax_collected_account_id" uuid,
    "tax_paid_account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "code" varchar(20),
    "description" varchar(200),
    "rate" numeric(9,6),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."matter_type" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(100) not null,
    "code" varchar(20),
    "description" varchar(500),
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."matter_type" is 'An area of law or kind of matter.';

comment on column "production"."matter_type"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."matter_type"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."matter_type"."name" is 'Name of the type.';

comment on column "production"."matter_type"."code" is 'Short code.';

comment on column "production"."matter_type"."description" is 'What belongs to it.';

comment on column "production"."matter_type"."is_active" is 'Whether it is in use.';

comment on column "production"."matter_type"."created_by" is 'Who made the record in the source system.';

comment on column "production"."matter_type"."created_on" is 'When the record was made.';

comment on column "production"."matter_type"."updated_by" is 'Who changed the record last.';

comment on column "production"."matter_type"."updated_on" is 'When the record was changed last.';

comment on column "production"."matter_type"."_import" is 'The import that wrote the row last.';

comment on column "production"."matter_type"."_created_at" is 'When the row was first promoted.';

comment on column "production"."matter_type"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."matter_type"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."matter_type"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."matter_type" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "is_active" boolean,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(100),
    "code" varchar(20),
    "description" varchar(500),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."task_type" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(100) not null,
    "code" varchar(20),
    "description" varchar(500),
    "item_type" smallint,
    "default_rate" numeric(19,4),
    "unit_duration" integer,
    "tax_code" varchar(20),
    "revenue_account_id" text,
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."task_type" is 'A kind of work that is recorded on matters.';

comment on column "production"."task_type"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."task_type"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."task_type"."name" is 'Name of the type.';

comment on column "production"."task_type"."code" is 'Short code.';

comment on column "production"."task_type"."description" is 'What belongs to it.';

comment on column "production"."task_type"."item_type" is 'How it is charged as a rule. WorkItemType: 0 Time, 1 Fixed, 2 Unit.';

comment on column "production"."task_type"."default_rate" is 'Rate if neither matter nor employee has one, before tax.';

comment on column "production"."task_type"."unit_duration" is 'Minutes of one unit, usually 6.';

comment on column "production"."task_type"."tax_code" is 'Code of the tax that applies as a rule.';

comment on column "production"."task_type"."revenue_account_id" is 'The account that is credited when it is billed. References account.id.';

comment on column "production"."task_type"."is_active" is 'Whether it is in use.';

comment on column "production"."task_type"."created_by" is 'Who made the record in the source system.';

comment on column "production"."task_type"."created_on" is 'When the record was made.';

comment on column "production"."task_type"."updated_by" is 'Who changed the record last.';

comment on column "production"."task_type"."updated_on" is 'When the record was changed last.';

comment on column "production"."task_type"."_import" is 'The import that wrote the row last.';

comment on column "production"."task_type"."_created_at" is 'When the row was first promoted.';

comment on column "production"."task_type"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."task_type"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."task_type"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."task_type" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "unit_duration" integer,
    "item_type" smallint,
    "is_active" boolean,
    "revenue_account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(100),
    "code" varchar(20),
    "description" varchar(500),
    "default_rate" numeric(19,4),
    "tax_code" varchar(20),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."contact" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "type" smallint not null,
    "title" varchar(50),
    "first_name" varchar(100),
    "middle_name" varchar(100),
    "last_name" varchar(100),
    "organisation_name" varchar(200),
    "sort_name" varchar(200),
    "date_of_birth" date,
    "business_number" varchar(30),
    "organisation_id" text,
    "email" varchar(254),
    "phone" varchar(50),
    "notes" text,
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."contact" is 'A person or organisation that the firm knows: clients, suppliers, parties, courts.';

comment on column "production"."contact"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."contact"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."contact"."type" is 'Person or organisation. ContactType: 0 Person, 1 Organisation.';

comment on column "production"."contact"."title" is 'Form of address.';

comment on column "production"."contact"."first_name" is 'First name of a person.';

comment on column "production"."contact"."middle_name" is 'Further names of a person.';

comment on column "production"."contact"."last_name" is 'Last name of a person.';

comment on column "production"."contact"."organisation_name" is 'Name of an organisation, or of the one for which a person works.';

comment on column "production"."contact"."sort_name" is 'The name as it is sorted in lists.';

comment on column "production"."contact"."date_of_birth" is 'Date of birth of a person.';

comment on column "production"."contact"."business_number" is 'ABN, ACN or company number.';

comment on column "production"."contact"."organisation_id" is 'The organisation to which a person belongs. References contact.id.';

comment on column "production"."contact"."email" is 'The e-mail address to use first.';

comment on column "production"."contact"."phone" is 'The phone number to use first.';

comment on column "production"."contact"."notes" is 'Remarks.';

comment on column "production"."contact"."is_active" is 'Whether it is in use.';

comment on column "production"."contact"."created_by" is 'Who made the record in the source system.';

comment on column "production"."contact"."created_on" is 'When the record was made.';

comment on column "production"."contact"."updated_by" is 'Who changed the record last.';

comment on column "production"."contact"."updated_on" is 'When the record was changed last.';

comment on column "production"."contact"."_import" is 'The import that wrote the row last.';

comment on column "production"."contact"."_created_at" is 'When the row was first promoted.';

comment on column "production"."contact"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."contact"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."contact"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."contact" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "date_of_birth" date,
    "type" smallint,
    "is_active" boolean,
    "organisation_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "title" varchar(50),
    "first_name" varchar(100),
    "middle_name" varchar(100),
    "last_name" varchar(100),
    "organisation_name" varchar(200),
    "sort_name" varchar(200),
    "business_number" varchar(30),
    "email" varchar(254),
    "phone" varchar(50),
    "notes" text,
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."contact_address" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "contact_id" text not null,
    "type" smallint,
    "line1" varchar(200),
    "line2" varchar(200),
    "line3" varchar(200),
    "city" varchar(100),
    "state" varchar(50),
    "post_code" varchar(20),
    "country" varchar(60),
    "is_primary" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."contact_address" is 'An address of a contact.';

comment on column "production"."contact_address"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."contact_address"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."contact_address"."contact_id" is 'Whose address it is. References contact.id.';

comment on column "production"."contact_address"."type" is 'What it is used for, Street if absent. AddressType: 0 Street, 1 Postal, 2 Billing, 3 RegisteredOffice, 4 Other.';

comment on column "production"."contact_address"."line1" is 'First line.';

comment on column "production"."contact_address"."line2" is 'Second line.';

comment on column "production"."contact_address"."line3" is 'Third line.';

comment on column "production"."contact_address"."city" is 'Suburb, town or city.';

comment on column "production"."contact_address"."state" is 'State or county.';

comment on column "production"."contact_address"."post_code" is 'Post code.';

comment on column "production"."contact_address"."country" is 'Country.';

comment on column "production"."contact_address"."is_primary" is 'Whether it is the one to use first.';

comment on column "production"."contact_address"."created_by" is 'Who made the record in the source system.';

comment on column "production"."contact_address"."created_on" is 'When the record was made.';

comment on column "production"."contact_address"."updated_by" is 'Who changed the record last.';

comment on column "production"."contact_address"."updated_on" is 'When the record was changed last.';

comment on column "production"."contact_address"."_import" is 'The import that wrote the row last.';

comment on column "production"."contact_address"."_created_at" is 'When the row was first promoted.';

comment on column "production"."contact_address"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."contact_address"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."contact_address"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."contact_address" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "type" smallint,
    "is_primary" boolean,
    "contact_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "line1" varchar(200),
    "line2" varchar(200),
    "line3" varchar(200),
    "city" varchar(100),
    "state" varchar(50),
    "post_code" varchar(20),
    "country" varchar(60),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."contact_point" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "contact_id" text not null,
    "type" smallint not null,
    "value" varchar(254) not null,
    "label" varchar(50),
    "is_primary" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."contact_point" is 'A phone number, e-mail address or the like of a contact.';

comment on column "production"."contact_point"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."contact_point"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."contact_point"."contact_id" is 'Whose it is. References contact.id.';

comment on column "production"."contact_point"."type" is 'Phone, e-mail or other. ContactPointType: 0 Phone, 1 Mobile, 2 Fax, 3 Email, 4 Website, 5 Other.';

comment on column "production"."contact_point"."value" is 'The number or address.';

comment on column "production"."contact_point"."label" is 'Home, work and so on.';

comment on column "production"."contact_point"."is_primary" is 'Whether it is the one to use first.';

comment on column "production"."contact_point"."created_by" is 'Who made the record in the source system.';

comment on column "production"."contact_point"."created_on" is 'When the record was made.';

comment on column "production"."contact_point"."updated_by" is 'Who changed the record last.';

comment on column "production"."contact_point"."updated_on" is 'When the record was changed last.';

comment on column "production"."contact_point"."_import" is 'The import that wrote the row last.';

comment on column "production"."contact_point"."_created_at" is 'When the row was first promoted.';

comment on column "production"."contact_point"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."contact_point"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."contact_point"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."contact_point" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "type" smallint,
    "is_primary" boolean,
    "contact_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "value" varchar(254),
    "label" varchar(50),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."client" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "contact_id" text not null,
    "number" varchar(50),
    "state" smallint,
    "office_id" text,
    "responsible_employee_id" text,
    "currency" varchar(3),
    "payment_term_days" integer,
    "credit_limit" numeric(19,4),
    "tax_code" varchar(20),
    "opened_date" date,
    "closed_date" date,
    "notes" text,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."client" is 'A contact for whom the firm acts and whom it bills.';

comment on column "production"."client"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."client"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."client"."contact_id" is 'Who the client is. References contact.id.';

comment on column "production"."client"."number" is 'Client number.';

comment on column "production"."client"."state" is 'Whether the firm acts for the client, Active if absent. ClientState: 0 Active, 1 Inactive, 2 OnHold.';

comment on column "production"."client"."office_id" is 'The office that looks after the client. References office.id.';

comment on column "production"."client"."responsible_employee_id" is 'Who looks after the client. References employee.id.';

comment on column "production"."client"."currency" is 'ISO code of the currency billed; the base currency if absent.';

comment on column "production"."client"."payment_term_days" is 'Days from invoice to payment.';

comment on column "production"."client"."credit_limit" is 'The most the client may owe.';

comment on column "production"."client"."tax_code" is 'Code of the tax that applies as a rule.';

comment on column "production"."client"."opened_date" is 'First day as a client.';

comment on column "production"."client"."closed_date" is 'Last day as a client.';

comment on column "production"."client"."notes" is 'Remarks.';

comment on column "production"."client"."created_by" is 'Who made the record in the source system.';

comment on column "production"."client"."created_on" is 'When the record was made.';

comment on column "production"."client"."updated_by" is 'Who changed the record last.';

comment on column "production"."client"."updated_on" is 'When the record was changed last.';

comment on column "production"."client"."_import" is 'The import that wrote the row last.';

comment on column "production"."client"."_created_at" is 'When the row was first promoted.';

comment on column "production"."client"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."client"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."client"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."client" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "payment_term_days" integer,
    "opened_date" date,
    "closed_date" date,
    "state" smallint,
    "contact_id" uuid,
    "office_id" uuid,
    "responsible_employee_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "number" varchar(50),
    "currency" varchar(3),
    "credit_limit" numeric(19,4),
    "tax_code" varchar(20),
    "notes" text,
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."supplier" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(200) not null,
    "contact_id" text,
    "number" varchar(50),
    "tax_number" varchar(30),
    "tax_code" varchar(20),
    "account_id" text,
    "payment_term_days" integer,
    "bank_name" varchar(100),
    "bank_bsb" varchar(20),
    "bank_account_number" varchar(34),
    "currency" varchar(3),
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."supplier" is 'Somebody whom the firm pays.';

comment on column "production"."supplier"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."supplier"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."supplier"."name" is 'Name of the supplier.';

comment on column "production"."supplier"."contact_id" is 'The contact that it is. References contact.id.';

comment on column "production"."supplier"."number" is 'Supplier number.';

comment on column "production"."supplier"."tax_number" is 'ABN or VAT registration number.';

comment on column "production"."supplier"."tax_code" is 'Code of the tax that applies as a rule.';

comment on column "production"."supplier"."account_id" is 'The account that is debited as a rule. References account.id.';

comment on column "production"."supplier"."payment_term_days" is 'Days from invoice to payment.';

comment on column "production"."supplier"."bank_name" is 'The supplier''s bank.';

comment on column "production"."supplier"."bank_bsb" is 'BSB or sort code.';

comment on column "production"."supplier"."bank_account_number" is 'Account number or IBAN.';

comment on column "production"."supplier"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."supplier"."is_active" is 'Whether it is in use.';

comment on column "production"."supplier"."created_by" is 'Who made the record in the source system.';

comment on column "production"."supplier"."created_on" is 'When the record was made.';

comment on column "production"."supplier"."updated_by" is 'Who changed the record last.';

comment on column "production"."supplier"."updated_on" is 'When the record was changed last.';

comment on column "production"."supplier"."_import" is 'The import that wrote the row last.';

comment on column "production"."supplier"."_created_at" is 'When the row was first promoted.';

comment on column "production"."supplier"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."supplier"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."supplier"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."supplier" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "payment_term_days" integer,
    "is_active" boolean,
    "contact_id" uuid,
    "account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(200),
    "number" varchar(50),
    "tax_number" varchar(30),
    "tax_code" varchar(20),
    "bank_name" varchar(100),
    "bank_bsb" varchar(20),
    "bank_account_number" varchar(34),
    "currency" varchar(3),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."matter" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "number" varchar(50) not null,
    "title" varchar(300) not null,
    "client_id" text not null,
    "matter_type_id" text,
    "office_id" text,
    "responsible_employee_id" text,
    "acting_employee_id" text,
    "state" smallint,
    "billing_method" smallint,
    "fixed_fee" numeric(19,4),
    "estimated_fees" numeric(19,4),
    "currency" varchar(3),
    "opened_date" date,
    "closed_date" date,
    "reference" varchar(100),
    "description" text,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."matter" is 'A piece of legal work for a client: the unit of recording, billing and trust money.';

comment on column "production"."matter"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."matter"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."matter"."number" is 'Matter number.';

comment on column "production"."matter"."title" is 'What the matter is about.';

comment on column "production"."matter"."client_id" is 'For whom the firm acts. References client.id.';

comment on column "production"."matter"."matter_type_id" is 'Kind of the matter. References matter_type.id.';

comment on column "production"."matter"."office_id" is 'The office that does the work. References office.id.';

comment on column "production"."matter"."responsible_employee_id" is 'Who answers for the matter. References employee.id.';

comment on column "production"."matter"."acting_employee_id" is 'Who does the work. References employee.id.';

comment on column "production"."matter"."state" is 'Whether work is being done, Open if absent. MatterState: 0 Open, 1 OnHold, 2 Closed, 3 Archived.';

comment on column "production"."matter"."billing_method" is 'How it is charged, Time if absent. BillingMethod: 0 Time, 1 FixedFee, 2 Conditional, 3 Scale, 4 ProBono.';

comment on column "production"."matter"."fixed_fee" is 'The fee agreed, before tax.';

comment on column "production"."matter"."estimated_fees" is 'What the client was told it would cost, before tax.';

comment on column "production"."matter"."currency" is 'ISO code of the currency billed; the client''s if absent.';

comment on column "production"."matter"."opened_date" is 'First day.';

comment on column "production"."matter"."closed_date" is 'Last day.';

comment on column "production"."matter"."reference" is 'The client''s reference.';

comment on column "production"."matter"."description" is 'More about it.';

comment on column "production"."matter"."created_by" is 'Who made the record in the source system.';

comment on column "production"."matter"."created_on" is 'When the record was made.';

comment on column "production"."matter"."updated_by" is 'Who changed the record last.';

comment on column "production"."matter"."updated_on" is 'When the record was changed last.';

comment on column "production"."matter"."_import" is 'The import that wrote the row last.';

comment on column "production"."matter"."_created_at" is 'When the row was first promoted.';

comment on column "production"."matter"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."matter"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."matter"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."matter" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "opened_date" date,
    "closed_date" date,
    "state" smallint,
    "billing_method" smallint,
    "client_id" uuid,
    "matter_type_id" uuid,
    "office_id" uuid,
    "responsible_employee_id" uuid,
    "acting_employee_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "number" varchar(50),
    "title" varchar(300),
    "fixed_fee" numeric(19,4),
    "estimated_fees" numeric(19,4),
    "currency" varchar(3),
    "reference" varchar(100),
    "description" text,
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."matter_party" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "matter_id" text not null,
    "contact_id" text not null,
    "role" smallint not null,
    "reference" varchar(100),
    "notes" varchar(1000),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."matter_party" is 'A contact''s part in a matter.';

comment on column "production"."matter_party"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."matter_party"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."matter_party"."matter_id" is 'The matter. References matter.id.';

comment on column "production"."matter_party"."contact_id" is 'The contact. References contact.id.';

comment on column "production"."matter_party"."role" is 'The contact''s part. PartyRole: 0 Client, 1 OpposingParty, 2 OpposingSolicitor, 3 Counsel, 4 Witness, 5 Expert, 6 Court, 7 Insurer, 8 Beneficiary, 9 Other.';

comment on column "production"."matter_party"."reference" is 'The contact''s own reference.';

comment on column "production"."matter_party"."notes" is 'Remarks.';

comment on column "production"."matter_party"."created_by" is 'Who made the record in the source system.';

comment on column "production"."matter_party"."created_on" is 'When the record was made.';

comment on column "production"."matter_party"."updated_by" is 'Who changed the record last.';

comment on column "production"."matter_party"."updated_on" is 'When the record was changed last.';

comment on column "production"."matter_party"."_import" is 'The import that wrote the row last.';

comment on column "production"."matter_party"."_created_at" is 'When the row was first promoted.';

comment on column "production"."matter_party"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."matter_party"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."matter_party"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."matter_party" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "role" smallint,
    "matter_id" uuid,
    "contact_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "reference" varchar(100),
    "notes" varchar(1000),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."matter_rate" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "matter_id" text not null,
    "employee_id" text,
    "task_type_id" text,
    "rate" numeric(19,4) not null,
    "effective_from" date,
    "effective_to" date,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."matter_rate" is 'A rate agreed for a matter: for an employee, a task type, both or all.';

comment on column "production"."matter_rate"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."matter_rate"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."matter_rate"."matter_id" is 'The matter. References matter.id.';

comment on column "production"."matter_rate"."employee_id" is 'For whose work; everybody''s if absent. References employee.id.';

comment on column "production"."matter_rate"."task_type_id" is 'For which work; all if absent. References task_type.id.';

comment on column "production"."matter_rate"."rate" is 'Charge per hour or unit, before tax.';

comment on column "production"."matter_rate"."effective_from" is 'First day on which it applies.';

comment on column "production"."matter_rate"."effective_to" is 'Last day on which it applies.';

comment on column "production"."matter_rate"."created_by" is 'Who made the record in the source system.';

comment on column "production"."matter_rate"."created_on" is 'When the record was made.';

comment on column "production"."matter_rate"."updated_by" is 'Who changed the record last.';

comment on column "production"."matter_rate"."updated_on" is 'When the record was changed last.';

comment on column "production"."matter_rate"."_import" is 'The import that wrote the row last.';

comment on column "production"."matter_rate"."_created_at" is 'When the row was first promoted.';

comment on column "production"."matter_rate"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."matter_rate"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."matter_rate"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."matter_rate" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "effective_from" date,
    "effective_to" date,
    "matter_id" uuid,
    "employee_id" uuid,
    "task_type_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "rate" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."matter_note" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "matter_id" text not null,
    "note_date" date,
    "employee_id" text,
    "subject" varchar(300),
    "text" text not null,
    "is_private" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."matter_note" is 'A file note on a matter.';

comment on column "production"."matter_note"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."matter_note"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."matter_note"."matter_id" is 'The matter. References matter.id.';

comment on column "production"."matter_note"."note_date" is 'The day it is about.';

comment on column "production"."matter_note"."employee_id" is 'Who wrote it. References employee.id.';

comment on column "production"."matter_note"."subject" is 'Heading.';

comment on column "production"."matter_note"."text" is 'The note.';

comment on column "production"."matter_note"."is_private" is 'Whether only its author sees it.';

comment on column "production"."matter_note"."created_by" is 'Who made the record in the source system.';

comment on column "production"."matter_note"."created_on" is 'When the record was made.';

comment on column "production"."matter_note"."updated_by" is 'Who changed the record last.';

comment on column "production"."matter_note"."updated_on" is 'When the record was changed last.';

comment on column "production"."matter_note"."_import" is 'The import that wrote the row last.';

comment on column "production"."matter_note"."_created_at" is 'When the row was first promoted.';

comment on column "production"."matter_note"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."matter_note"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."matter_note"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."matter_note" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "note_date" date,
    "is_private" boolean,
    "matter_id" uuid,
    "employee_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "subject" varchar(300),
    "text" text,
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."work_item" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "entry_date" date not null,
    "matter_id" text not null,
    "employee_id" text not null,
    "state" smallint,
    "item_type" smallint,
    "task_type_id" text,
    "title" varchar(300),
    "description" varchar(4000),
    "rate" numeric(19,4),
    "units" numeric(18,4),
    "unit_duration" integer,
    "total" numeric(19,4) not null,
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "is_billable" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."work_item" is 'Time or other work done on a matter.';

comment on column "production"."work_item"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."work_item"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."work_item"."entry_date" is 'The day on which the work was done.';

comment on column "production"."work_item"."matter_id" is 'The matter. References matter.id.';

comment on column "production"."work_item"."employee_id" is 'Who did the work. References employee.id.';

comment on column "production"."work_item"."state" is 'How far it has come, Unbilled if absent. WorkItemState: 0 Draft, 1 Unbilled, 2 Billed, 3 WrittenOff, 4 NonBillable.';

comment on column "production"."work_item"."item_type" is 'How it is charged, Time if absent. WorkItemType: 0 Time, 1 Fixed, 2 Unit.';

comment on column "production"."work_item"."task_type_id" is 'Kind of the work. References task_type.id.';

comment on column "production"."work_item"."title" is 'The work in a line.';

comment on column "production"."work_item"."description" is 'The narrative for the invoice.';

comment on column "production"."work_item"."rate" is 'Charge per hour (or per unit, of a unit item), before tax.';

comment on column "production"."work_item"."units" is 'Number of units.';

comment on column "production"."work_item"."unit_duration" is 'Minutes of one unit, of time. Usually 6.';

comment on column "production"."work_item"."total" is 'Charge, before tax.';

comment on column "production"."work_item"."tax_code" is 'Code of the tax that applies.';

comment on column "production"."work_item"."tax_amount" is 'Tax on top of Total.';

comment on column "production"."work_item"."is_billable" is 'Whether it is to be billed, yes if absent.';

comment on column "production"."work_item"."created_by" is 'Who made the record in the source system.';

comment on column "production"."work_item"."created_on" is 'When the record was made.';

comment on column "production"."work_item"."updated_by" is 'Who changed the record last.';

comment on column "production"."work_item"."updated_on" is 'When the record was changed last.';

comment on column "production"."work_item"."_import" is 'The import that wrote the row last.';

comment on column "production"."work_item"."_created_at" is 'When the row was first promoted.';

comment on column "production"."work_item"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."work_item"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."work_item"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."work_item" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "entry_date" date,
    "unit_duration" integer,
    "state" smallint,
    "item_type" smallint,
    "is_billable" boolean,
    "matter_id" uuid,
    "employee_id" uuid,
    "task_type_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "title" varchar(300),
    "description" varchar(4000),
    "rate" numeric(19,4),
    "units" numeric(18,4),
    "total" numeric(19,4),
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."disbursement" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "entry_date" date not null,
    "matter_id" text not null,
    "disbursement_type" smallint not null,
    "state" smallint,
    "employee_id" text,
    "supplier_id" text,
    "account_id" text,
    "title" varchar(300),
    "description" varchar(4000),
    "supplier_invoice_number" varchar(50),
    "quantity" numeric(18,4),
    "unit_price" numeric(19,4),
    "total" numeric(19,4) not null,
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "is_paid" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."disbursement" is 'An expense on a matter that is charged to the client.';

comment on column "production"."disbursement"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."disbursement"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."disbursement"."entry_date" is 'The day of the expense.';

comment on column "production"."disbursement"."matter_id" is 'The matter. References matter.id.';

comment on column "production"."disbursement"."disbursement_type" is 'Which of the four kinds it is. DisbursementType: 0 CostRecovery, 1 Anticipated, 2 Incurred, 3 GeneralLedger.';

comment on column "production"."disbursement"."state" is 'How far it has come, Unbilled if absent. WorkItemState: 0 Draft, 1 Unbilled, 2 Billed, 3 WrittenOff, 4 NonBillable.';

comment on column "production"."disbursement"."employee_id" is 'Who caused it. References employee.id.';

comment on column "production"."disbursement"."supplier_id" is 'Who is owed or was paid. References supplier.id.';

comment on column "production"."disbursement"."account_id" is 'The account posted to, of the kind GeneralLedger. References account.id.';

comment on column "production"."disbursement"."title" is 'The expense in a line.';

comment on column "production"."disbursement"."description" is 'The narrative for the invoice.';

comment on column "production"."disbursement"."supplier_invoice_number" is 'Number of the supplier''s invoice.';

comment on column "production"."disbursement"."quantity" is 'Number of units.';

comment on column "production"."disbursement"."unit_price" is 'Price of one unit, before tax.';

comment on column "production"."disbursement"."total" is 'Charge, before tax.';

comment on column "production"."disbursement"."tax_code" is 'Code of the tax that applies.';

comment on column "production"."disbursement"."tax_amount" is 'Tax on top of Total.';

comment on column "production"."disbursement"."is_paid" is 'Whether the supplier has been paid.';

comment on column "production"."disbursement"."created_by" is 'Who made the record in the source system.';

comment on column "production"."disbursement"."created_on" is 'When the record was made.';

comment on column "production"."disbursement"."updated_by" is 'Who changed the record last.';

comment on column "production"."disbursement"."updated_on" is 'When the record was changed last.';

comment on column "production"."disbursement"."_import" is 'The import that wrote the row last.';

comment on column "production"."disbursement"."_created_at" is 'When the row was first promoted.';

comment on column "production"."disbursement"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."disbursement"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."disbursement"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."disbursement" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "entry_date" date,
    "disbursement_type" smallint,
    "state" smallint,
    "is_paid" boolean,
    "matter_id" uuid,
    "employee_id" uuid,
    "supplier_id" uuid,
    "account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "title" varchar(300),
    "description" varchar(4000),
    "supplier_invoice_number" varchar(50),
    "quantity" numeric(18,4),
    "unit_price" numeric(19,4),
    "total" numeric(19,4),
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."invoice" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "number" varchar(50),
    "invoice_date" date not null,
    "due_date" date,
    "matter_id" text,
    "client_id" text,
    "contact_id" text,
    "employee_id" text,
    "state" smallint,
    "period_start" date,
    "period_end" date,
    "fees_total" numeric(19,4),
    "disbursements_total" numeric(19,4),
    "tax_total" numeric(19,4),
    "total" numeric(19,4) not null,
    "outstanding_amount" numeric(19,4),
    "currency" varchar(3),
    "reference" varchar(100),
    "description" varchar(4000),
    "billing_address" varchar(500),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

create index if not exists "invoice_number_idx" on "production"."invoice" ("number");

comment on table "production"."invoice" is 'An invoice to a client.';

comment on column "production"."invoice"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."invoice"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."invoice"."number" is 'Invoice number.';

comment on column "production"."invoice"."invoice_date" is 'Date of the invoice.';

comment on column "production"."invoice"."due_date" is 'Date by which it is to be paid.';

comment on column "production"."invoice"."matter_id" is 'The matter that is billed. References matter.id.';

comment on column "production"."invoice"."client_id" is 'The client who is billed. References client.id.';

comment on column "production"."invoice"."contact_id" is 'To whom it is addressed, if not to the client. References contact.id.';

comment on column "production"."invoice"."employee_id" is 'Who answers for it. References employee.id.';

comment on column "production"."invoice"."state" is 'How far it has come, Issued if absent. InvoiceState: 0 Draft, 1 Approved, 2 Issued, 3 Paid, 4 WrittenOff, 5 Cancelled.';

comment on column "production"."invoice"."period_start" is 'First day of the work billed.';

comment on column "production"."invoice"."period_end" is 'Last day of the work billed.';

comment on column "production"."invoice"."fees_total" is 'Fees, before tax.';

comment on column "production"."invoice"."disbursements_total" is 'Disbursements, before tax.';

comment on column "production"."invoice"."tax_total" is 'Tax.';

comment on column "production"."invoice"."total" is 'What is to be paid, tax included.';

comment on column "production"."invoice"."outstanding_amount" is 'What is not paid yet.';

comment on column "production"."invoice"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."invoice"."reference" is 'The client''s reference.';

comment on column "production"."invoice"."description" is 'Text of the invoice.';

comment on column "production"."invoice"."billing_address" is 'Address as printed, if it is not the contact''s.';

comment on column "production"."invoice"."created_by" is 'Who made the record in the source system.';

comment on column "production"."invoice"."created_on" is 'When the record was made.';

comment on column "production"."invoice"."updated_by" is 'Who changed the record last.';

comment on column "production"."invoice"."updated_on" is 'When the record was changed last.';

comment on column "production"."invoice"."_import" is 'The import that wrote the row last.';

comment on column "production"."invoice"."_created_at" is 'When the row was first promoted.';

comment on column "production"."invoice"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."invoice"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."invoice"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."invoice" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "invoice_date" date,
    "due_date" date,
    "period_start" date,
    "period_end" date,
    "state" smallint,
    "matter_id" uuid,
    "client_id" uuid,
    "contact_id" uuid,
    "employee_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "number" varchar(50),
    "fees_total" numeric(19,4),
    "disbursements_total" numeric(19,4),
    "tax_total" numeric(19,4),
    "total" numeric(19,4),
    "outstanding_amount" numeric(19,4),
    "currency" varchar(3),
    "reference" varchar(100),
    "description" varchar(4000),
    "billing_address" varchar(500),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."invoice_line" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "invoice_id" text not null,
    "line_number" integer,
    "line_type" smallint,
    "work_item_id" text,
    "disbursement_id" text,
    "account_id" text,
    "description" varchar(4000),
    "quantity" numeric(18,4),
    "unit_price" numeric(19,4),
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "total" numeric(19,4),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

create index if not exists "invoice_line_invoice_id_idx" on "production"."invoice_line" ("invoice_id");

comment on table "production"."invoice_line" is 'A line of an invoice. It has a Total, or a Quantity and a UnitPrice from which it follows.';

comment on column "production"."invoice_line"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."invoice_line"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."invoice_line"."invoice_id" is 'The invoice. References invoice.id.';

comment on column "production"."invoice_line"."line_number" is 'Place on the invoice.';

comment on column "production"."invoice_line"."line_type" is 'What it charges for, Fee if absent. InvoiceLineType: 0 Fee, 1 Disbursement, 2 Interest, 3 Discount, 4 Rounding.';

comment on column "production"."invoice_line"."work_item_id" is 'The work item that is billed. References work_item.id.';

comment on column "production"."invoice_line"."disbursement_id" is 'The disbursement that is billed. References disbursement.id.';

comment on column "production"."invoice_line"."account_id" is 'The account that is credited. References account.id.';

comment on column "production"."invoice_line"."description" is 'Text of the line.';

comment on column "production"."invoice_line"."quantity" is 'Number of units.';

comment on column "production"."invoice_line"."unit_price" is 'Price of one unit, before tax.';

comment on column "production"."invoice_line"."tax_code" is 'Code of the tax that applies.';

comment on column "production"."invoice_line"."tax_amount" is 'Tax, included in Total.';

comment on column "production"."invoice_line"."total" is 'Amount of the line, tax included.';

comment on column "production"."invoice_line"."created_by" is 'Who made the record in the source system.';

comment on column "production"."invoice_line"."created_on" is 'When the record was made.';

comment on column "production"."invoice_line"."updated_by" is 'Who changed the record last.';

comment on column "production"."invoice_line"."updated_on" is 'When the record was changed last.';

comment on column "production"."invoice_line"."_import" is 'The import that wrote the row last.';

comment on column "production"."invoice_line"."_created_at" is 'When the row was first promoted.';

comment on column "production"."invoice_line"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."invoice_line"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."invoice_line"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."invoice_line" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "line_number" integer,
    "line_type" smallint,
    "invoice_id" uuid,
    "work_item_id" uuid,
    "disbursement_id" uuid,
    "account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "description" varchar(4000),
    "quantity" numeric(18,4),
    "unit_price" numeric(19,4),
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "total" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."bank_account" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "name" varchar(100) not null,
    "type" smallint not null,
    "account_id" text,
    "office_id" text,
    "bank_name" varchar(100),
    "bank_bsb" varchar(20),
    "bank_account_number" varchar(34),
    "currency" varchar(3),
    "is_active" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."bank_account" is 'A bank account of the firm, for its own money or for clients''.';

comment on column "production"."bank_account"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."bank_account"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."bank_account"."name" is 'Name of the account.';

comment on column "production"."bank_account"."type" is 'Whose money it holds. BankAccountType: 0 Office, 1 Trust, 2 ControlledMoney.';

comment on column "production"."bank_account"."account_id" is 'Its account in the ledger. References account.id.';

comment on column "production"."bank_account"."office_id" is 'The office that uses it. References office.id.';

comment on column "production"."bank_account"."bank_name" is 'Name of the bank.';

comment on column "production"."bank_account"."bank_bsb" is 'BSB or sort code.';

comment on column "production"."bank_account"."bank_account_number" is 'Account number or IBAN.';

comment on column "production"."bank_account"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."bank_account"."is_active" is 'Whether it is in use.';

comment on column "production"."bank_account"."created_by" is 'Who made the record in the source system.';

comment on column "production"."bank_account"."created_on" is 'When the record was made.';

comment on column "production"."bank_account"."updated_by" is 'Who changed the record last.';

comment on column "production"."bank_account"."updated_on" is 'When the record was changed last.';

comment on column "production"."bank_account"."_import" is 'The import that wrote the row last.';

comment on column "production"."bank_account"."_created_at" is 'When the row was first promoted.';

comment on column "production"."bank_account"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."bank_account"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."bank_account"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."bank_account" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "type" smallint,
    "is_active" boolean,
    "account_id" uuid,
    "office_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "name" varchar(100),
    "bank_name" varchar(100),
    "bank_bsb" varchar(20),
    "bank_account_number" varchar(34),
    "currency" varchar(3),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."receipt" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "number" varchar(50),
    "receipt_date" date not null,
    "amount" numeric(19,4) not null,
    "client_id" text,
    "contact_id" text,
    "matter_id" text,
    "bank_account_id" text,
    "method" smallint,
    "payer_name" varchar(200),
    "reference" varchar(100),
    "description" varchar(1000),
    "currency" varchar(3),
    "is_reversed" boolean,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."receipt" is 'Money received in the office account.';

comment on column "production"."receipt"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."receipt"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."receipt"."number" is 'Receipt number.';

comment on column "production"."receipt"."receipt_date" is 'The day on which it was received.';

comment on column "production"."receipt"."amount" is 'The amount received.';

comment on column "production"."receipt"."client_id" is 'The client who paid. References client.id.';

comment on column "production"."receipt"."contact_id" is 'Who paid, if not the client. References contact.id.';

comment on column "production"."receipt"."matter_id" is 'The matter, if it was for one. References matter.id.';

comment on column "production"."receipt"."bank_account_id" is 'Where it was banked. References bank_account.id.';

comment on column "production"."receipt"."method" is 'How it was paid. PaymentMethod: 0 BankTransfer, 1 Cheque, 2 Card, 3 Cash, 4 DirectDebit, 5 TrustTransfer, 6 Other.';

comment on column "production"."receipt"."payer_name" is 'Who paid.';

comment on column "production"."receipt"."reference" is 'Reference on the bank statement.';

comment on column "production"."receipt"."description" is 'Remarks.';

comment on column "production"."receipt"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."receipt"."is_reversed" is 'Whether it was reversed since.';

comment on column "production"."receipt"."created_by" is 'Who made the record in the source system.';

comment on column "production"."receipt"."created_on" is 'When the record was made.';

comment on column "production"."receipt"."updated_by" is 'Who changed the record last.';

comment on column "production"."receipt"."updated_on" is 'When the record was changed last.';

comment on column "production"."receipt"."_import" is 'The import that wrote the row last.';

comment on column "production"."receipt"."_created_at" is 'When the row was first promoted.';

comment on column "production"."receipt"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."receipt"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."receipt"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."receipt" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "receipt_date" date,
    "method" smallint,
    "is_reversed" boolean,
    "client_id" uuid,
    "contact_id" uuid,
    "matter_id" uuid,
    "bank_account_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "number" varchar(50),
    "amount" numeric(19,4),
    "payer_name" varchar(200),
    "reference" varchar(100),
    "description" varchar(1000),
    "currency" varchar(3),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."receipt_allocation" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "receipt_id" text not null,
    "invoice_id" text not null,
    "amount" numeric(19,4) not null,
    "allocation_date" date,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

create index if not exists "receipt_allocation_invoice_id_idx" on "production"."receipt_allocation" ("invoice_id");

create index if not exists "receipt_allocation_receipt_id_idx" on "production"."receipt_allocation" ("receipt_id");

comment on table "production"."receipt_allocation" is 'The part of a receipt that pays an invoice.';

comment on column "production"."receipt_allocation"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."receipt_allocation"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."receipt_allocation"."receipt_id" is 'The receipt. References receipt.id.';

comment on column "production"."receipt_allocation"."invoice_id" is 'The invoice that is paid. References invoice.id.';

comment on column "production"."receipt_allocation"."amount" is 'The part.';

comment on column "production"."receipt_allocation"."allocation_date" is 'The day of the allocation.';

comment on column "production"."receipt_allocation"."created_by" is 'Who made the record in the source system.';

comment on column "production"."receipt_allocation"."created_on" is 'When the record was made.';

comment on column "production"."receipt_allocation"."updated_by" is 'Who changed the record last.';

comment on column "production"."receipt_allocation"."updated_on" is 'When the record was changed last.';

comment on column "production"."receipt_allocation"."_import" is 'The import that wrote the row last.';

comment on column "production"."receipt_allocation"."_created_at" is 'When the row was first promoted.';

comment on column "production"."receipt_allocation"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."receipt_allocation"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."receipt_allocation"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."receipt_allocation" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "allocation_date" date,
    "receipt_id" uuid,
    "invoice_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "amount" numeric(19,4),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."credit_note" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "number" varchar(50),
    "credit_note_date" date not null,
    "invoice_id" text,
    "client_id" text,
    "matter_id" text,
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "total" numeric(19,4) not null,
    "currency" varchar(3),
    "reason" varchar(1000),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

create index if not exists "credit_note_number_idx" on "production"."credit_note" ("number");

create index if not exists "credit_note_invoice_id_idx" on "production"."credit_note" ("invoice_id");

comment on table "production"."credit_note" is 'A credit granted to a client.';

comment on column "production"."credit_note"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."credit_note"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."credit_note"."number" is 'Number of the credit note.';

comment on column "production"."credit_note"."credit_note_date" is 'Date of the credit note.';

comment on column "production"."credit_note"."invoice_id" is 'The invoice that is credited. References invoice.id.';

comment on column "production"."credit_note"."client_id" is 'The client. References client.id.';

comment on column "production"."credit_note"."matter_id" is 'The matter. References matter.id.';

comment on column "production"."credit_note"."tax_code" is 'Code of the tax that applies.';

comment on column "production"."credit_note"."tax_amount" is 'Tax, included in Total.';

comment on column "production"."credit_note"."total" is 'The credit, tax included.';

comment on column "production"."credit_note"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."credit_note"."reason" is 'Why it was granted.';

comment on column "production"."credit_note"."created_by" is 'Who made the record in the source system.';

comment on column "production"."credit_note"."created_on" is 'When the record was made.';

comment on column "production"."credit_note"."updated_by" is 'Who changed the record last.';

comment on column "production"."credit_note"."updated_on" is 'When the record was changed last.';

comment on column "production"."credit_note"."_import" is 'The import that wrote the row last.';

comment on column "production"."credit_note"."_created_at" is 'When the row was first promoted.';

comment on column "production"."credit_note"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."credit_note"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."credit_note"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."credit_note" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "credit_note_date" date,
    "invoice_id" uuid,
    "client_id" uuid,
    "matter_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "number" varchar(50),
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "total" numeric(19,4),
    "currency" varchar(3),
    "reason" varchar(1000),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."trust_transaction" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "transaction_date" date not null,
    "transaction_type" smallint not null,
    "matter_id" text not null,
    "amount" numeric(19,4) not null,
    "bank_account_id" text,
    "number" varchar(50),
    "transfer_from_id" text,
    "contact_id" text,
    "party_name" varchar(200),
    "method" smallint,
    "purpose" varchar(1000),
    "reference" varchar(100),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

create index if not exists "trust_transaction_bank_account_id_transaction_type_number_idx" on "production"."trust_transaction" ("bank_account_id", "transaction_type", "number");

create index if not exists "trust_transaction_transfer_from_id_idx" on "production"."trust_transaction" ("transfer_from_id");

create index if not exists "trust_transaction_matter_id_idx" on "production"."trust_transaction" ("matter_id");

comment on table "production"."trust_transaction" is 'A movement of trust (client) money on one matter. A transfer between matters is two rows: TransferOut on the one that gives and TransferIn on the one that receives, which names the former in TransferFromId.';

comment on column "production"."trust_transaction"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."trust_transaction"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."trust_transaction"."transaction_date" is 'The day of the movement.';

comment on column "production"."trust_transaction"."transaction_type" is 'How the money moves. TrustTransactionType: 0 OpeningBalance, 1 Receipt, 2 TransferIn, 3 PaymentReversal, 4 Payment, 5 TransferOut, 6 ReceiptReversal.';

comment on column "production"."trust_transaction"."matter_id" is 'The matter for which the money is held. References matter.id.';

comment on column "production"."trust_transaction"."amount" is 'The amount. Always positive; the type says which way it goes.';

comment on column "production"."trust_transaction"."bank_account_id" is 'The trust account. References bank_account.id.';

comment on column "production"."trust_transaction"."number" is 'Number of the receipt, payment or transfer, unique for its type within the trust account.';

comment on column "production"."trust_transaction"."transfer_from_id" is 'Of TransferIn, and of no other: the TransferOut that it receives. References trust_transaction.id.';

comment on column "production"."trust_transaction"."contact_id" is 'Who paid or was paid. References contact.id.';

comment on column "production"."trust_transaction"."party_name" is 'Name of who paid or was paid.';

comment on column "production"."trust_transaction"."method" is 'How it was paid. PaymentMethod: 0 BankTransfer, 1 Cheque, 2 Card, 3 Cash, 4 DirectDebit, 5 TrustTransfer, 6 Other.';

comment on column "production"."trust_transaction"."purpose" is 'What the money is for.';

comment on column "production"."trust_transaction"."reference" is 'Reference on the bank statement.';

comment on column "production"."trust_transaction"."created_by" is 'Who made the record in the source system.';

comment on column "production"."trust_transaction"."created_on" is 'When the record was made.';

comment on column "production"."trust_transaction"."updated_by" is 'Who changed the record last.';

comment on column "production"."trust_transaction"."updated_on" is 'When the record was changed last.';

comment on column "production"."trust_transaction"."_import" is 'The import that wrote the row last.';

comment on column "production"."trust_transaction"."_created_at" is 'When the row was first promoted.';

comment on column "production"."trust_transaction"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."trust_transaction"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."trust_transaction"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."trust_transaction" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "transaction_date" date,
    "transaction_type" smallint,
    "method" smallint,
    "matter_id" uuid,
    "bank_account_id" uuid,
    "transfer_from_id" uuid,
    "contact_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "amount" numeric(19,4),
    "number" varchar(50),
    "party_name" varchar(200),
    "purpose" varchar(1000),
    "reference" varchar(100),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."ledger_entry" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "entry_date" date not null,
    "journal_id" text,
    "number" varchar(50),
    "description" varchar(1000),
    "reference" varchar(100),
    "state" smallint,
    "office_id" text,
    "currency" varchar(3),
    "reverses_entry_id" text,
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."ledger_entry" is 'An entry in the general ledger. Its lines balance.';

comment on column "production"."ledger_entry"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."ledger_entry"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."ledger_entry"."entry_date" is 'The day to which it belongs.';

comment on column "production"."ledger_entry"."journal_id" is 'The journal. References journal.id.';

comment on column "production"."ledger_entry"."number" is 'Number of the entry.';

comment on column "production"."ledger_entry"."description" is 'What it is about.';

comment on column "production"."ledger_entry"."reference" is 'Reference to a document.';

comment on column "production"."ledger_entry"."state" is 'Whether it counts, Posted if absent. LedgerEntryState: 0 Draft, 1 Posted, 2 Reversed.';

comment on column "production"."ledger_entry"."office_id" is 'The office. References office.id.';

comment on column "production"."ledger_entry"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."ledger_entry"."reverses_entry_id" is 'The entry that this one reverses. References ledger_entry.id.';

comment on column "production"."ledger_entry"."created_by" is 'Who made the record in the source system.';

comment on column "production"."ledger_entry"."created_on" is 'When the record was made.';

comment on column "production"."ledger_entry"."updated_by" is 'Who changed the record last.';

comment on column "production"."ledger_entry"."updated_on" is 'When the record was changed last.';

comment on column "production"."ledger_entry"."_import" is 'The import that wrote the row last.';

comment on column "production"."ledger_entry"."_created_at" is 'When the row was first promoted.';

comment on column "production"."ledger_entry"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."ledger_entry"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."ledger_entry"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."ledger_entry" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "entry_date" date,
    "state" smallint,
    "journal_id" uuid,
    "office_id" uuid,
    "reverses_entry_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "number" varchar(50),
    "description" varchar(1000),
    "reference" varchar(100),
    "currency" varchar(3),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."ledger_line" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "ledger_entry_id" text not null,
    "account_id" text not null,
    "line_number" integer,
    "debit" numeric(19,4),
    "credit" numeric(19,4),
    "matter_id" text,
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "description" varchar(1000),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

create index if not exists "ledger_line_ledger_entry_id_idx" on "production"."ledger_line" ("ledger_entry_id");

comment on table "production"."ledger_line" is 'A line of a ledger entry: a debit or a credit of one account.';

comment on column "production"."ledger_line"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."ledger_line"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."ledger_line"."ledger_entry_id" is 'The entry. References ledger_entry.id.';

comment on column "production"."ledger_line"."account_id" is 'The account. References account.id.';

comment on column "production"."ledger_line"."line_number" is 'Place in the entry.';

comment on column "production"."ledger_line"."debit" is 'Amount debited.';

comment on column "production"."ledger_line"."credit" is 'Amount credited.';

comment on column "production"."ledger_line"."matter_id" is 'The matter, if it belongs to one. References matter.id.';

comment on column "production"."ledger_line"."tax_code" is 'Code of the tax that applies.';

comment on column "production"."ledger_line"."tax_amount" is 'Tax, included in the amount.';

comment on column "production"."ledger_line"."description" is 'Text of the line.';

comment on column "production"."ledger_line"."created_by" is 'Who made the record in the source system.';

comment on column "production"."ledger_line"."created_on" is 'When the record was made.';

comment on column "production"."ledger_line"."updated_by" is 'Who changed the record last.';

comment on column "production"."ledger_line"."updated_on" is 'When the record was changed last.';

comment on column "production"."ledger_line"."_import" is 'The import that wrote the row last.';

comment on column "production"."ledger_line"."_created_at" is 'When the row was first promoted.';

comment on column "production"."ledger_line"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."ledger_line"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."ledger_line"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."ledger_line" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "line_number" integer,
    "ledger_entry_id" uuid,
    "account_id" uuid,
    "matter_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "debit" numeric(19,4),
    "credit" numeric(19,4),
    "tax_code" varchar(20),
    "tax_amount" numeric(19,4),
    "description" varchar(1000),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);

create table if not exists "production"."opening_balance" (
    "id" text not null,
    "import_id" varchar(100) not null,
    "balance_date" date not null,
    "type" smallint,
    "account_id" text not null,
    "matter_id" text,
    "debit" numeric(19,4),
    "credit" numeric(19,4),
    "currency" varchar(3),
    "description" varchar(1000),
    "created_by" varchar(100),
    "created_on" timestamp with time zone,
    "updated_by" varchar(100),
    "updated_on" timestamp with time zone,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("import_id")
);

comment on table "production"."opening_balance" is 'A balance brought forward from the former system, of an account or of a matter. Trust money is brought forward with TrustTransaction.';

comment on column "production"."opening_balance"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."opening_balance"."import_id" is 'The row''s id in the source system, or a new one. Other rows refer to this one by it.';

comment on column "production"."opening_balance"."balance_date" is 'The day at whose end the balance stood.';

comment on column "production"."opening_balance"."type" is 'What it stands for, Ledger if absent. OpeningBalanceType: 0 Ledger, 1 Debtor, 2 WorkInProgress, 3 UnbilledDisbursement.';

comment on column "production"."opening_balance"."account_id" is 'The account. References account.id.';

comment on column "production"."opening_balance"."matter_id" is 'The matter, unless it is of an account. References matter.id.';

comment on column "production"."opening_balance"."debit" is 'Debit balance, before any credit.';

comment on column "production"."opening_balance"."credit" is 'Credit balance.';

comment on column "production"."opening_balance"."currency" is 'ISO code; the base currency if absent.';

comment on column "production"."opening_balance"."description" is 'Remarks.';

comment on column "production"."opening_balance"."created_by" is 'Who made the record in the source system.';

comment on column "production"."opening_balance"."created_on" is 'When the record was made.';

comment on column "production"."opening_balance"."updated_by" is 'Who changed the record last.';

comment on column "production"."opening_balance"."updated_on" is 'When the record was changed last.';

comment on column "production"."opening_balance"."_import" is 'The import that wrote the row last.';

comment on column "production"."opening_balance"."_created_at" is 'When the row was first promoted.';

comment on column "production"."opening_balance"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."opening_balance"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."opening_balance"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."opening_balance" (
    "created_on" timestamp with time zone,
    "updated_on" timestamp with time zone,
    "balance_date" date,
    "type" smallint,
    "account_id" uuid,
    "matter_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "import_id" varchar(100),
    "debit" numeric(19,4),
    "credit" numeric(19,4),
    "currency" varchar(3),
    "description" varchar(1000),
    "created_by" varchar(100),
    "updated_by" varchar(100),
    "_source" bytea
);
