-- OneRoster 1.1 (OneRoster-1.1) for PostgreSQL 15 and later.

create schema if not exists "production";

create schema if not exists "staging";

create table if not exists "production"."academic_session" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "title" varchar(255) not null,
    "type" varchar(200) not null,
    "start_date" date not null,
    "end_date" date not null,
    "parent_sourced_id" text,
    "school_year" integer not null,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."academic_session" is 'A school year, semester, term or grading period.';

comment on column "production"."academic_session"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."academic_session"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."academic_session"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."academic_session"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."academic_session"."title" is 'Its name';

comment on column "production"."academic_session"."type" is 'What it is SessionType: gradingPeriod, semester, schoolYear, term, or what begins with ext:.';

comment on column "production"."academic_session"."start_date" is 'Its first day';

comment on column "production"."academic_session"."end_date" is 'The day after its last, or its last';

comment on column "production"."academic_session"."parent_sourced_id" is 'The longer session that it is part of References academic_session.id.';

comment on column "production"."academic_session"."school_year" is 'The year in which the school year ends';

comment on column "production"."academic_session"."_import" is 'The import that wrote the row last.';

comment on column "production"."academic_session"."_created_at" is 'When the row was first promoted.';

comment on column "production"."academic_session"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."academic_session"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."academic_session"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."academic_session" (
    "date_last_modified" timestamp with time zone,
    "start_date" date,
    "end_date" date,
    "school_year" integer,
    "parent_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "type" varchar(200),
    "_source" bytea
);

create table if not exists "production"."org" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "name" varchar(255) not null,
    "type" varchar(200) not null,
    "identifier" varchar(255),
    "parent_sourced_id" text,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."org" is 'A school, district, department or authority.';

comment on column "production"."org"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."org"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."org"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."org"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."org"."name" is 'Its name';

comment on column "production"."org"."type" is 'What it is OrgType: department, school, district, local, state, national, or what begins with ext:.';

comment on column "production"."org"."identifier" is 'What its authority calls it';

comment on column "production"."org"."parent_sourced_id" is 'The organisation that it belongs to References org.id.';

comment on column "production"."org"."_import" is 'The import that wrote the row last.';

comment on column "production"."org"."_created_at" is 'When the row was first promoted.';

comment on column "production"."org"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."org"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."org"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."org" (
    "date_last_modified" timestamp with time zone,
    "parent_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "name" varchar(255),
    "type" varchar(200),
    "identifier" varchar(255),
    "_source" bytea
);

create table if not exists "production"."user" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "enabled_user" boolean not null,
    "org_sourced_ids" text[] not null,
    "role" varchar(200) not null,
    "username" varchar(255) not null,
    "user_ids" varchar(4000),
    "given_name" varchar(255) not null,
    "family_name" varchar(255) not null,
    "middle_name" varchar(255),
    "identifier" varchar(255),
    "email" varchar(255),
    "sms" varchar(255),
    "phone" varchar(255),
    "agent_sourced_ids" text[],
    "grades" varchar(255),
    "password" varchar(255),
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."user" is 'A student, teacher, parent or other person.';

comment on column "production"."user"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."user"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."user"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."user"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."user"."enabled_user" is 'Whether the user may use systems';

comment on column "production"."user"."org_sourced_ids" is 'The organisations that the user belongs to References org.id, several.';

comment on column "production"."user"."role" is 'What the user is UserRole: administrator, aide, guardian, parent, proctor, relative, student, teacher, or what begins with ext:.';

comment on column "production"."user"."username" is 'The name with which the user signs in';

comment on column "production"."user"."user_ids" is 'Further ids of the user, as {Type:Id}';

comment on column "production"."user"."given_name" is 'First name';

comment on column "production"."user"."family_name" is 'Last name';

comment on column "production"."user"."middle_name" is 'Middle names';

comment on column "production"."user"."identifier" is 'What people call the user by, such as a student number';

comment on column "production"."user"."email" is 'E-mail address';

comment on column "production"."user"."sms" is 'Number for text messages';

comment on column "production"."user"."phone" is 'Telephone';

comment on column "production"."user"."agent_sourced_ids" is 'Those who act for the user, such as parents, or for whom the user acts References user.id, several.';

comment on column "production"."user"."grades" is 'Grades (years) that the user is in';

comment on column "production"."user"."password" is 'A first password, if one is exchanged';

comment on column "production"."user"."_import" is 'The import that wrote the row last.';

comment on column "production"."user"."_created_at" is 'When the row was first promoted.';

comment on column "production"."user"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."user"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."user"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."user" (
    "date_last_modified" timestamp with time zone,
    "enabled_user" boolean,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "org_sourced_ids" uuid[],
    "role" varchar(200),
    "username" varchar(255),
    "user_ids" varchar(4000),
    "given_name" varchar(255),
    "family_name" varchar(255),
    "middle_name" varchar(255),
    "identifier" varchar(255),
    "email" varchar(255),
    "sms" varchar(255),
    "phone" varchar(255),
    "agent_sourced_ids" uuid[],
    "grades" varchar(255),
    "password" varchar(255),
    "_source" bytea
);

create table if not exists "production"."demographics" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "birth_date" date,
    "sex" varchar(200),
    "american_indian_or_alaska_native" boolean,
    "asian" boolean,
    "black_or_african_american" boolean,
    "native_hawaiian_or_other_pacific_islander" boolean,
    "white" boolean,
    "demographic_race_two_or_more_races" boolean,
    "hispanic_or_latino_ethnicity" boolean,
    "country_of_birth_code" varchar(255),
    "state_of_birth_abbreviation" varchar(255),
    "city_of_birth" varchar(255),
    "public_school_residence_status" varchar(255),
    "user_sourced_id" text,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."demographics" is 'What authorities ask about a user. A record has the sourcedId of its user.';

comment on column "production"."demographics"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."demographics"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."demographics"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."demographics"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."demographics"."birth_date" is 'Date of birth';

comment on column "production"."demographics"."sex" is 'Sex Sex: male, female, or what begins with ext:.';

comment on column "production"."demographics"."american_indian_or_alaska_native" is 'American Indian or Alaska native';

comment on column "production"."demographics"."asian" is 'Asian';

comment on column "production"."demographics"."black_or_african_american" is 'Black or African American';

comment on column "production"."demographics"."native_hawaiian_or_other_pacific_islander" is 'Native Hawaiian or other Pacific islander';

comment on column "production"."demographics"."white" is 'White';

comment on column "production"."demographics"."demographic_race_two_or_more_races" is 'Of two or more races';

comment on column "production"."demographics"."hispanic_or_latino_ethnicity" is 'Hispanic or Latino';

comment on column "production"."demographics"."country_of_birth_code" is 'Country of birth, by its code';

comment on column "production"."demographics"."state_of_birth_abbreviation" is 'State of birth';

comment on column "production"."demographics"."city_of_birth" is 'City of birth';

comment on column "production"."demographics"."public_school_residence_status" is 'Where the user lives as seen from the school, by a CEDS code';

comment on column "production"."demographics"."user_sourced_id" is 'The user: not a column of files, which have it as sourcedId References user.id.';

comment on column "production"."demographics"."_import" is 'The import that wrote the row last.';

comment on column "production"."demographics"."_created_at" is 'When the row was first promoted.';

comment on column "production"."demographics"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."demographics"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."demographics"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."demographics" (
    "date_last_modified" timestamp with time zone,
    "birth_date" date,
    "american_indian_or_alaska_native" boolean,
    "asian" boolean,
    "black_or_african_american" boolean,
    "native_hawaiian_or_other_pacific_islander" boolean,
    "white" boolean,
    "demographic_race_two_or_more_races" boolean,
    "hispanic_or_latino_ethnicity" boolean,
    "user_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "sex" varchar(200),
    "country_of_birth_code" varchar(255),
    "state_of_birth_abbreviation" varchar(255),
    "city_of_birth" varchar(255),
    "public_school_residence_status" varchar(255),
    "_source" bytea
);

create table if not exists "production"."course" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "school_year_sourced_id" text,
    "title" varchar(255) not null,
    "course_code" varchar(255),
    "grades" varchar(255),
    "org_sourced_id" text not null,
    "subjects" varchar(4000),
    "subject_codes" varchar(4000),
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."course" is 'What is taught, in any number of classes.';

comment on column "production"."course"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."course"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."course"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."course"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."course"."school_year_sourced_id" is 'The school year that it is for References academic_session.id.';

comment on column "production"."course"."title" is 'Its name';

comment on column "production"."course"."course_code" is 'Its code';

comment on column "production"."course"."grades" is 'Grades (years) that it is for';

comment on column "production"."course"."org_sourced_id" is 'Whose course it is References org.id.';

comment on column "production"."course"."subjects" is 'Subjects';

comment on column "production"."course"."subject_codes" is 'Their codes';

comment on column "production"."course"."_import" is 'The import that wrote the row last.';

comment on column "production"."course"."_created_at" is 'When the row was first promoted.';

comment on column "production"."course"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."course"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."course"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."course" (
    "date_last_modified" timestamp with time zone,
    "school_year_sourced_id" uuid,
    "org_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "course_code" varchar(255),
    "grades" varchar(255),
    "subjects" varchar(4000),
    "subject_codes" varchar(4000),
    "_source" bytea
);

create table if not exists "production"."class" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "title" varchar(255) not null,
    "grades" varchar(255),
    "course_sourced_id" text not null,
    "class_code" varchar(255),
    "class_type" varchar(200) not null,
    "location" varchar(255),
    "school_sourced_id" text not null,
    "term_sourced_ids" text[] not null,
    "subjects" varchar(4000),
    "subject_codes" varchar(4000),
    "periods" varchar(255),
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."class" is 'A course as it is taught to a group in some terms.';

comment on column "production"."class"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."class"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."class"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."class"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."class"."title" is 'Its name';

comment on column "production"."class"."grades" is 'Grades (years) that it is for';

comment on column "production"."class"."course_sourced_id" is 'The course References course.id.';

comment on column "production"."class"."class_code" is 'Its code';

comment on column "production"."class"."class_type" is 'What it is for ClassType: homeroom, scheduled, or what begins with ext:.';

comment on column "production"."class"."location" is 'Where it meets';

comment on column "production"."class"."school_sourced_id" is 'The school References org.id.';

comment on column "production"."class"."term_sourced_ids" is 'The terms in which it is taught References academic_session.id, several.';

comment on column "production"."class"."subjects" is 'Subjects';

comment on column "production"."class"."subject_codes" is 'Their codes';

comment on column "production"."class"."periods" is 'Periods of the timetable';

comment on column "production"."class"."_import" is 'The import that wrote the row last.';

comment on column "production"."class"."_created_at" is 'When the row was first promoted.';

comment on column "production"."class"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."class"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."class"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."class" (
    "date_last_modified" timestamp with time zone,
    "course_sourced_id" uuid,
    "school_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "grades" varchar(255),
    "class_code" varchar(255),
    "class_type" varchar(200),
    "location" varchar(255),
    "term_sourced_ids" uuid[],
    "subjects" varchar(4000),
    "subject_codes" varchar(4000),
    "periods" varchar(255),
    "_source" bytea
);

create table if not exists "production"."enrollment" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "class_sourced_id" text not null,
    "school_sourced_id" text not null,
    "user_sourced_id" text not null,
    "role" varchar(200) not null,
    "primary" boolean,
    "begin_date" date,
    "end_date" date,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."enrollment" is 'That a user has a part in a class.';

comment on column "production"."enrollment"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."enrollment"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."enrollment"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."enrollment"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."enrollment"."class_sourced_id" is 'The class References class.id.';

comment on column "production"."enrollment"."school_sourced_id" is 'The school References org.id.';

comment on column "production"."enrollment"."user_sourced_id" is 'The user References user.id.';

comment on column "production"."enrollment"."role" is 'The user''s part EnrollmentRole: administrator, proctor, student, teacher, or what begins with ext:.';

comment on column "production"."enrollment"."primary" is 'Whether a teacher is the main one';

comment on column "production"."enrollment"."begin_date" is 'Since when';

comment on column "production"."enrollment"."end_date" is 'Until when';

comment on column "production"."enrollment"."_import" is 'The import that wrote the row last.';

comment on column "production"."enrollment"."_created_at" is 'When the row was first promoted.';

comment on column "production"."enrollment"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."enrollment"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."enrollment"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."enrollment" (
    "date_last_modified" timestamp with time zone,
    "begin_date" date,
    "end_date" date,
    "primary" boolean,
    "class_sourced_id" uuid,
    "school_sourced_id" uuid,
    "user_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "role" varchar(200),
    "_source" bytea
);

create table if not exists "production"."category" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "title" varchar(255) not null,
    "weight" integer,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."category" is 'A kind of line items, such as homework.';

comment on column "production"."category"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."category"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."category"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."category"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."category"."title" is 'Its name';

comment on column "production"."category"."weight" is 'What share of a grade it makes, in percent';

comment on column "production"."category"."_import" is 'The import that wrote the row last.';

comment on column "production"."category"."_created_at" is 'When the row was first promoted.';

comment on column "production"."category"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."category"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."category"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."category" (
    "date_last_modified" timestamp with time zone,
    "weight" integer,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "_source" bytea
);

create table if not exists "production"."line_item" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "title" varchar(255) not null,
    "description" varchar(4000),
    "assign_date" date not null,
    "due_date" date not null,
    "class_sourced_id" text not null,
    "category_sourced_id" text not null,
    "grading_period_sourced_id" text,
    "result_value_min" numeric(38,18),
    "result_value_max" numeric(38,18),
    "school_sourced_id" text,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."line_item" is 'What is graded: an assignment or examination.';

comment on column "production"."line_item"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."line_item"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."line_item"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."line_item"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."line_item"."title" is 'Its name';

comment on column "production"."line_item"."description" is 'What is to be done';

comment on column "production"."line_item"."assign_date" is 'When it is set';

comment on column "production"."line_item"."due_date" is 'When it is due';

comment on column "production"."line_item"."class_sourced_id" is 'The class References class.id.';

comment on column "production"."line_item"."category_sourced_id" is 'Its kind References category.id.';

comment on column "production"."line_item"."grading_period_sourced_id" is 'The grading period References academic_session.id.';

comment on column "production"."line_item"."result_value_min" is 'The least score';

comment on column "production"."line_item"."result_value_max" is 'The greatest score';

comment on column "production"."line_item"."school_sourced_id" is 'The school References org.id.';

comment on column "production"."line_item"."_import" is 'The import that wrote the row last.';

comment on column "production"."line_item"."_created_at" is 'When the row was first promoted.';

comment on column "production"."line_item"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."line_item"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."line_item"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."line_item" (
    "date_last_modified" timestamp with time zone,
    "assign_date" date,
    "due_date" date,
    "class_sourced_id" uuid,
    "category_sourced_id" uuid,
    "grading_period_sourced_id" uuid,
    "school_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "description" varchar(4000),
    "result_value_min" numeric(38,18),
    "result_value_max" numeric(38,18),
    "_source" bytea
);

create table if not exists "production"."result" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "line_item_sourced_id" text not null,
    "student_sourced_id" text not null,
    "score_status" varchar(200) not null,
    "score" numeric(38,18),
    "score_date" date not null,
    "comment" varchar(4000),
    "text_score" varchar(255),
    "class_sourced_id" text,
    "in_progress" boolean,
    "incomplete" boolean,
    "late" boolean,
    "missing" boolean,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."result" is 'What a student was given for a line item.';

comment on column "production"."result"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."result"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."result"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."result"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."result"."line_item_sourced_id" is 'What was graded References line_item.id.';

comment on column "production"."result"."student_sourced_id" is 'Whose it is References user.id.';

comment on column "production"."result"."score_status" is 'How far the grading has come ScoreStatus: exempt, fully graded, not submitted, partially graded, submitted, or what begins with ext:.';

comment on column "production"."result"."score" is 'The score';

comment on column "production"."result"."score_date" is 'When it was given';

comment on column "production"."result"."comment" is 'For the student';

comment on column "production"."result"."text_score" is 'A score that is no number';

comment on column "production"."result"."class_sourced_id" is 'The class References class.id.';

comment on column "production"."result"."in_progress" is 'Whether the work is going on';

comment on column "production"."result"."incomplete" is 'Whether it is incomplete';

comment on column "production"."result"."late" is 'Whether it was handed in late';

comment on column "production"."result"."missing" is 'Whether it is missing';

comment on column "production"."result"."_import" is 'The import that wrote the row last.';

comment on column "production"."result"."_created_at" is 'When the row was first promoted.';

comment on column "production"."result"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."result"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."result"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."result" (
    "date_last_modified" timestamp with time zone,
    "score_date" date,
    "in_progress" boolean,
    "incomplete" boolean,
    "late" boolean,
    "missing" boolean,
    "line_item_sourced_id" uuid,
    "student_sourced_id" uuid,
    "class_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "score_status" varchar(200),
    "score" numeric(38,18),
    "comment" varchar(4000),
    "text_score" varchar(255),
    "_source" bytea
);

create table if not exists "production"."resource" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "vendor_resource_id" varchar(255) not null,
    "title" varchar(255),
    "roles" varchar(255),
    "importance" varchar(200),
    "vendor_id" varchar(255),
    "application_id" varchar(255),
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."resource" is 'Something to learn with, such as a book.';

comment on column "production"."resource"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."resource"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."resource"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."resource"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."resource"."vendor_resource_id" is 'The vendor''s id of it';

comment on column "production"."resource"."title" is 'Its name';

comment on column "production"."resource"."roles" is 'Who it is for';

comment on column "production"."resource"."importance" is 'How important it is Importance: primary, secondary, or what begins with ext:.';

comment on column "production"."resource"."vendor_id" is 'The vendor';

comment on column "production"."resource"."application_id" is 'The application that it is for';

comment on column "production"."resource"."_import" is 'The import that wrote the row last.';

comment on column "production"."resource"."_created_at" is 'When the row was first promoted.';

comment on column "production"."resource"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."resource"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."resource"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."resource" (
    "date_last_modified" timestamp with time zone,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "vendor_resource_id" varchar(255),
    "title" varchar(255),
    "roles" varchar(255),
    "importance" varchar(200),
    "vendor_id" varchar(255),
    "application_id" varchar(255),
    "_source" bytea
);

create table if not exists "production"."class_resource" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "title" varchar(255),
    "class_sourced_id" text not null,
    "resource_sourced_id" text not null,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."class_resource" is 'That a resource is used in a class.';

comment on column "production"."class_resource"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."class_resource"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."class_resource"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."class_resource"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."class_resource"."title" is 'For people';

comment on column "production"."class_resource"."class_sourced_id" is 'The class References class.id.';

comment on column "production"."class_resource"."resource_sourced_id" is 'The resource References resource.id.';

comment on column "production"."class_resource"."_import" is 'The import that wrote the row last.';

comment on column "production"."class_resource"."_created_at" is 'When the row was first promoted.';

comment on column "production"."class_resource"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."class_resource"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."class_resource"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."class_resource" (
    "date_last_modified" timestamp with time zone,
    "class_sourced_id" uuid,
    "resource_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "_source" bytea
);

create table if not exists "production"."course_resource" (
    "id" text not null,
    "sourced_id" varchar(255) not null,
    "status" varchar(200),
    "date_last_modified" timestamp with time zone,
    "title" varchar(255),
    "course_sourced_id" text not null,
    "resource_sourced_id" text not null,
    "_import" text not null,
    "_created_at" timestamp with time zone not null,
    "_updated_at" timestamp with time zone not null,
    "_digest" uuid,
    "_written" xid,
    primary key ("id"),
    unique ("sourced_id")
);

comment on table "production"."course_resource" is 'That a resource is used in a course.';

comment on column "production"."course_resource"."id" is 'Production id, computed from tenant, table and key.';

comment on column "production"."course_resource"."sourced_id" is 'The record''s id in the system that it comes from; unique among the records of its file';

comment on column "production"."course_resource"."status" is 'Only in a delta, and required there Status: active, inactive, tobedeleted, or what begins with ext:.';

comment on column "production"."course_resource"."date_last_modified" is 'When the record was changed last. Only in a delta, and required there';

comment on column "production"."course_resource"."title" is 'For people';

comment on column "production"."course_resource"."course_sourced_id" is 'The course References course.id.';

comment on column "production"."course_resource"."resource_sourced_id" is 'The resource References resource.id.';

comment on column "production"."course_resource"."_import" is 'The import that wrote the row last.';

comment on column "production"."course_resource"."_created_at" is 'When the row was first promoted.';

comment on column "production"."course_resource"."_updated_at" is 'When a promotion changed the row last.';

comment on column "production"."course_resource"."_digest" is 'A hash of the row as it was staged, by which the next promotion sees whether it changed.';

comment on column "production"."course_resource"."_written" is 'The transaction that wrote the row; where it is not xmin, the hash is out of date.';

create unlogged table if not exists "staging"."course_resource" (
    "date_last_modified" timestamp with time zone,
    "course_sourced_id" uuid,
    "resource_sourced_id" uuid,
    "id" uuid,
    "_digest" uuid,
    "sourced_id" varchar(255),
    "status" varchar(200),
    "title" varchar(255),
    "_source" bytea
);
