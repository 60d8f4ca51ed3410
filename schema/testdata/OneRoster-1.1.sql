-- OneRoster 1.1 (OneRoster-1.1)
-- Rosters and grades of schools: organisations, academic sessions, courses and classes, users and their enrollments, line items and results, resources.
--
-- For SQL Server 2016 and later. Makes the tables that are not there yet. Running it again changes nothing.
-- A reference holds the key of the row it refers to, or the production id of an object that is in the system already.
-- Dates and times in datetime2 columns are in UTC.
SET NOCOUNT ON;

-- AcademicSession: A school year, semester, term or grading period.
IF OBJECT_ID(N'[dbo].[AcademicSession]') IS NULL
    CREATE TABLE [dbo].[AcademicSession] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Its name
        [title] nvarchar(255) NOT NULL,
        -- What it is
        -- SessionType: gradingPeriod, semester, schoolYear, term, or what begins with ext:
        [type] nvarchar(200) NOT NULL,
        -- Its first day
        [startDate] date NOT NULL,
        -- The day after its last, or its last
        [endDate] date NOT NULL,
        -- The longer session that it is part of
        -- References AcademicSession.sourcedId
        [parentSourcedId] nvarchar(255) NULL,
        -- The year in which the school year ends
        [schoolYear] int NOT NULL,
        CONSTRAINT [CK_OneRoster_AcademicSession_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_AcademicSession_type] CHECK ([type] IN (N'gradingPeriod', N'semester', N'schoolYear', N'term') OR LEFT([type], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_AcademicSession] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[AcademicSession]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'title', N'type', N'startDate', N'endDate', N'parentSourcedId', N'schoolYear'
    )) < 9
    PRINT N'[dbo].[AcademicSession] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Org: A school, district, department or authority.
IF OBJECT_ID(N'[dbo].[Org]') IS NULL
    CREATE TABLE [dbo].[Org] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Its name
        [name] nvarchar(255) NOT NULL,
        -- What it is
        -- OrgType: department, school, district, local, state, national, or what begins with ext:
        [type] nvarchar(200) NOT NULL,
        -- What its authority calls it
        [identifier] nvarchar(255) NULL,
        -- The organisation that it belongs to
        -- References Org.sourcedId
        [parentSourcedId] nvarchar(255) NULL,
        CONSTRAINT [CK_OneRoster_Org_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_Org_type] CHECK ([type] IN (N'department', N'school', N'district', N'local', N'state', N'national') OR LEFT([type], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Org] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Org]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'name', N'type', N'identifier', N'parentSourcedId'
    )) < 7
    PRINT N'[dbo].[Org] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- User: A student, teacher, parent or other person.
IF OBJECT_ID(N'[dbo].[User]') IS NULL
    CREATE TABLE [dbo].[User] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Whether the user may use systems
        [enabledUser] bit NOT NULL,
        -- The organisations that the user belongs to
        -- References Org.sourcedId, several separated by commas
        [orgSourcedIds] nvarchar(max) NOT NULL,
        -- What the user is
        -- UserRole: administrator, aide, guardian, parent, proctor, relative, student, teacher, or what begins with ext:
        [role] nvarchar(200) NOT NULL,
        -- The name with which the user signs in
        [username] nvarchar(255) NOT NULL,
        -- Further ids of the user, as {Type:Id}
        -- Several, separated by commas
        [userIds] nvarchar(4000) NULL,
        -- First name
        [givenName] nvarchar(255) NOT NULL,
        -- Last name
        [familyName] nvarchar(255) NOT NULL,
        -- Middle names
        [middleName] nvarchar(255) NULL,
        -- What people call the user by, such as a student number
        [identifier] nvarchar(255) NULL,
        -- E-mail address
        [email] nvarchar(255) NULL,
        -- Number for text messages
        [sms] nvarchar(255) NULL,
        -- Telephone
        [phone] nvarchar(255) NULL,
        -- Those who act for the user, such as parents, or for whom the user acts
        -- References User.sourcedId, several separated by commas
        [agentSourcedIds] nvarchar(max) NULL,
        -- Grades (years) that the user is in
        -- Several, separated by commas
        [grades] nvarchar(255) NULL,
        -- A first password, if one is exchanged
        [password] nvarchar(255) NULL,
        CONSTRAINT [CK_OneRoster_User_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_User_role] CHECK ([role] IN (N'administrator', N'aide', N'guardian', N'parent', N'proctor', N'relative', N'student', N'teacher') OR LEFT([role], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_User] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[User]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'enabledUser', N'orgSourcedIds', N'role', N'username', N'userIds', N'givenName', N'familyName', N'middleName', N'identifier', N'email', N'sms', N'phone', N'agentSourcedIds', N'grades', N'password'
    )) < 18
    PRINT N'[dbo].[User] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Demographics: What authorities ask about a user. A record has the sourcedId of its user.
IF OBJECT_ID(N'[dbo].[Demographics]') IS NULL
    CREATE TABLE [dbo].[Demographics] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Date of birth
        [birthDate] date NULL,
        -- Sex
        -- Sex: male, female, or what begins with ext:
        [sex] nvarchar(200) NULL,
        -- American Indian or Alaska native
        [americanIndianOrAlaskaNative] bit NULL,
        -- Asian
        [asian] bit NULL,
        -- Black or African American
        [blackOrAfricanAmerican] bit NULL,
        -- Native Hawaiian or other Pacific islander
        [nativeHawaiianOrOtherPacificIslander] bit NULL,
        -- White
        [white] bit NULL,
        -- Of two or more races
        [demographicRaceTwoOrMoreRaces] bit NULL,
        -- Hispanic or Latino
        [hispanicOrLatinoEthnicity] bit NULL,
        -- Country of birth, by its code
        [countryOfBirthCode] nvarchar(255) NULL,
        -- State of birth
        [stateOfBirthAbbreviation] nvarchar(255) NULL,
        -- City of birth
        [cityOfBirth] nvarchar(255) NULL,
        -- Where the user lives as seen from the school, by a CEDS code
        [publicSchoolResidenceStatus] nvarchar(255) NULL,
        -- The user: not a column of files, which have it as sourcedId
        -- References User.sourcedId
        [userSourcedId] nvarchar(255) NULL,
        CONSTRAINT [CK_OneRoster_Demographics_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_Demographics_sex] CHECK ([sex] IN (N'male', N'female') OR LEFT([sex], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Demographics] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Demographics]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'birthDate', N'sex', N'americanIndianOrAlaskaNative', N'asian', N'blackOrAfricanAmerican', N'nativeHawaiianOrOtherPacificIslander', N'white', N'demographicRaceTwoOrMoreRaces', N'hispanicOrLatinoEthnicity', N'countryOfBirthCode', N'stateOfBirthAbbreviation', N'cityOfBirth', N'publicSchoolResidenceStatus', N'userSourcedId'
    )) < 17
    PRINT N'[dbo].[Demographics] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Course: What is taught, in any number of classes.
IF OBJECT_ID(N'[dbo].[Course]') IS NULL
    CREATE TABLE [dbo].[Course] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- The school year that it is for
        -- References AcademicSession.sourcedId
        [schoolYearSourcedId] nvarchar(255) NULL,
        -- Its name
        [title] nvarchar(255) NOT NULL,
        -- Its code
        [courseCode] nvarchar(255) NULL,
        -- Grades (years) that it is for
        -- Several, separated by commas
        [grades] nvarchar(255) NULL,
        -- Whose course it is
        -- References Org.sourcedId
        [orgSourcedId] nvarchar(255) NOT NULL,
        -- Subjects
        -- Several, separated by commas
        [subjects] nvarchar(4000) NULL,
        -- Their codes
        -- Several, separated by commas
        [subjectCodes] nvarchar(4000) NULL,
        CONSTRAINT [CK_OneRoster_Course_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Course] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Course]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'schoolYearSourcedId', N'title', N'courseCode', N'grades', N'orgSourcedId', N'subjects', N'subjectCodes'
    )) < 10
    PRINT N'[dbo].[Course] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Class: A course as it is taught to a group in some terms.
IF OBJECT_ID(N'[dbo].[Class]') IS NULL
    CREATE TABLE [dbo].[Class] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Its name
        [title] nvarchar(255) NOT NULL,
        -- Grades (years) that it is for
        -- Several, separated by commas
        [grades] nvarchar(255) NULL,
        -- The course
        -- References Course.sourcedId
        [courseSourcedId] nvarchar(255) NOT NULL,
        -- Its code
        [classCode] nvarchar(255) NULL,
        -- What it is for
        -- ClassType: homeroom, scheduled, or what begins with ext:
        [classType] nvarchar(200) NOT NULL,
        -- Where it meets
        [location] nvarchar(255) NULL,
        -- The school
        -- References Org.sourcedId
        [schoolSourcedId] nvarchar(255) NOT NULL,
        -- The terms in which it is taught
        -- References AcademicSession.sourcedId, several separated by commas
        [termSourcedIds] nvarchar(max) NOT NULL,
        -- Subjects
        -- Several, separated by commas
        [subjects] nvarchar(4000) NULL,
        -- Their codes
        -- Several, separated by commas
        [subjectCodes] nvarchar(4000) NULL,
        -- Periods of the timetable
        -- Several, separated by commas
        [periods] nvarchar(255) NULL,
        CONSTRAINT [CK_OneRoster_Class_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_Class_classType] CHECK ([classType] IN (N'homeroom', N'scheduled') OR LEFT([classType], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Class] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Class]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'title', N'grades', N'courseSourcedId', N'classCode', N'classType', N'location', N'schoolSourcedId', N'termSourcedIds', N'subjects', N'subjectCodes', N'periods'
    )) < 14
    PRINT N'[dbo].[Class] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Enrollment: That a user has a part in a class.
IF OBJECT_ID(N'[dbo].[Enrollment]') IS NULL
    CREATE TABLE [dbo].[Enrollment] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- The class
        -- References Class.sourcedId
        [classSourcedId] nvarchar(255) NOT NULL,
        -- The school
        -- References Org.sourcedId
        [schoolSourcedId] nvarchar(255) NOT NULL,
        -- The user
        -- References User.sourcedId
        [userSourcedId] nvarchar(255) NOT NULL,
        -- The user's part
        -- EnrollmentRole: administrator, proctor, student, teacher, or what begins with ext:
        [role] nvarchar(200) NOT NULL,
        -- Whether a teacher is the main one
        [primary] bit NULL,
        -- Since when
        [beginDate] date NULL,
        -- Until when
        [endDate] date NULL,
        CONSTRAINT [CK_OneRoster_Enrollment_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_Enrollment_role] CHECK ([role] IN (N'administrator', N'proctor', N'student', N'teacher') OR LEFT([role], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Enrollment] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Enrollment]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'classSourcedId', N'schoolSourcedId', N'userSourcedId', N'role', N'primary', N'beginDate', N'endDate'
    )) < 10
    PRINT N'[dbo].[Enrollment] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Category: A kind of line items, such as homework.
IF OBJECT_ID(N'[dbo].[Category]') IS NULL
    CREATE TABLE [dbo].[Category] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Its name
        [title] nvarchar(255) NOT NULL,
        -- What share of a grade it makes, in percent
        [weight] int NULL,
        CONSTRAINT [CK_OneRoster_Category_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Category] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Category]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'title', N'weight'
    )) < 5
    PRINT N'[dbo].[Category] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- LineItem: What is graded: an assignment or examination.
IF OBJECT_ID(N'[dbo].[LineItem]') IS NULL
    CREATE TABLE [dbo].[LineItem] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- Its name
        [title] nvarchar(255) NOT NULL,
        -- What is to be done
        [description] nvarchar(4000) NULL,
        -- When it is set
        [assignDate] date NOT NULL,
        -- When it is due
        [dueDate] date NOT NULL,
        -- The class
        -- References Class.sourcedId
        [classSourcedId] nvarchar(255) NOT NULL,
        -- Its kind
        -- References Category.sourcedId
        [categorySourcedId] nvarchar(255) NOT NULL,
        -- The grading period
        -- References AcademicSession.sourcedId
        [gradingPeriodSourcedId] nvarchar(255) NULL,
        -- The least score
        [resultValueMin] decimal(38, 18) NULL,
        -- The greatest score
        [resultValueMax] decimal(38, 18) NULL,
        -- The school
        -- References Org.sourcedId
        [schoolSourcedId] nvarchar(255) NULL,
        CONSTRAINT [CK_OneRoster_LineItem_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_LineItem] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[LineItem]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'title', N'description', N'assignDate', N'dueDate', N'classSourcedId', N'categorySourcedId', N'gradingPeriodSourcedId', N'resultValueMin', N'resultValueMax', N'schoolSourcedId'
    )) < 13
    PRINT N'[dbo].[LineItem] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Result: What a student was given for a line item.
IF OBJECT_ID(N'[dbo].[Result]') IS NULL
    CREATE TABLE [dbo].[Result] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- What was graded
        -- References LineItem.sourcedId
        [lineItemSourcedId] nvarchar(255) NOT NULL,
        -- Whose it is
        -- References User.sourcedId
        [studentSourcedId] nvarchar(255) NOT NULL,
        -- How far the grading has come
        -- ScoreStatus: exempt, fully graded, not submitted, partially graded, submitted, or what begins with ext:
        [scoreStatus] nvarchar(200) NOT NULL,
        -- The score
        [score] decimal(38, 18) NULL,
        -- When it was given
        [scoreDate] date NOT NULL,
        -- For the student
        [comment] nvarchar(4000) NULL,
        -- A score that is no number
        [textScore] nvarchar(255) NULL,
        -- The class
        -- References Class.sourcedId
        [classSourcedId] nvarchar(255) NULL,
        -- Whether the work is going on
        [inProgress] bit NULL,
        -- Whether it is incomplete
        [incomplete] bit NULL,
        -- Whether it was handed in late
        [late] bit NULL,
        -- Whether it is missing
        [missing] bit NULL,
        CONSTRAINT [CK_OneRoster_Result_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_Result_scoreStatus] CHECK ([scoreStatus] IN (N'exempt', N'fully graded', N'not submitted', N'partially graded', N'submitted') OR LEFT([scoreStatus], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Result] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Result]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'lineItemSourcedId', N'studentSourcedId', N'scoreStatus', N'score', N'scoreDate', N'comment', N'textScore', N'classSourcedId', N'inProgress', N'incomplete', N'late', N'missing'
    )) < 15
    PRINT N'[dbo].[Result] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- Resource: Something to learn with, such as a book.
IF OBJECT_ID(N'[dbo].[Resource]') IS NULL
    CREATE TABLE [dbo].[Resource] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- The vendor's id of it
        [vendorResourceId] nvarchar(255) NOT NULL,
        -- Its name
        [title] nvarchar(255) NULL,
        -- Who it is for
        -- Several, separated by commas
        [roles] nvarchar(255) NULL,
        -- How important it is
        -- Importance: primary, secondary, or what begins with ext:
        [importance] nvarchar(200) NULL,
        -- The vendor
        [vendorId] nvarchar(255) NULL,
        -- The application that it is for
        [applicationId] nvarchar(255) NULL,
        CONSTRAINT [CK_OneRoster_Resource_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [CK_OneRoster_Resource_importance] CHECK ([importance] IN (N'primary', N'secondary') OR LEFT([importance], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_Resource] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Resource]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'vendorResourceId', N'title', N'roles', N'importance', N'vendorId', N'applicationId'
    )) < 9
    PRINT N'[dbo].[Resource] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- ClassResource: That a resource is used in a class.
IF OBJECT_ID(N'[dbo].[ClassResource]') IS NULL
    CREATE TABLE [dbo].[ClassResource] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- For people
        [title] nvarchar(255) NULL,
        -- The class
        -- References Class.sourcedId
        [classSourcedId] nvarchar(255) NOT NULL,
        -- The resource
        -- References Resource.sourcedId
        [resourceSourcedId] nvarchar(255) NOT NULL,
        CONSTRAINT [CK_OneRoster_ClassResource_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_ClassResource] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[ClassResource]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'title', N'classSourcedId', N'resourceSourcedId'
    )) < 6
    PRINT N'[dbo].[ClassResource] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';

-- CourseResource: That a resource is used in a course.
IF OBJECT_ID(N'[dbo].[CourseResource]') IS NULL
    CREATE TABLE [dbo].[CourseResource] (
        -- The record's id in the system that it comes from, unique among the records of its file
        [sourcedId] nvarchar(255) NOT NULL,
        -- Only in a delta, and required there
        -- Status: active, inactive, tobedeleted, or what begins with ext:
        [status] nvarchar(200) NULL,
        -- When the record was changed last. Only in a delta, and required there
        [dateLastModified] datetime2(6) NULL,
        -- For people
        [title] nvarchar(255) NULL,
        -- The course
        -- References Course.sourcedId
        [courseSourcedId] nvarchar(255) NOT NULL,
        -- The resource
        -- References Resource.sourcedId
        [resourceSourcedId] nvarchar(255) NOT NULL,
        CONSTRAINT [CK_OneRoster_CourseResource_status] CHECK ([status] IN (N'active', N'inactive', N'tobedeleted') OR LEFT([status], 4) = N'ext:'),
        CONSTRAINT [PK_OneRoster_CourseResource] PRIMARY KEY ([sourcedId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[CourseResource]') AND name IN (
        N'sourcedId', N'status', N'dateLastModified', N'title', N'courseSourcedId', N'resourceSourcedId'
    )) < 6
    PRINT N'[dbo].[CourseResource] was there before and was left as it is, but it lacks columns of OneRoster-1.1.';
