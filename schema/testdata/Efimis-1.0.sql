-- Efimis ETL 1.0 (Efimis-1.0)
-- Practice and financial management for law firms in Australia and the United Kingdom: contacts and clients, matters, time and other work, disbursements, invoices, trust (client) money and ledgers.
--
-- For SQL Server 2016 and later. Makes the tables that are not there yet. Running it again changes nothing.
-- A reference holds the key of the row it refers to, or the production id of an object that is in the system already.
-- Dates and times in datetime2 columns are in UTC.
SET NOCOUNT ON;

-- Currency: A currency in which the firm keeps money or bills.
-- Check currency_decimal_places (error): DecimalPlaces must be between 0 and 4: amounts are kept with four decimals.
-- Holds: (([DecimalPlaces] >= 0) and ([DecimalPlaces] <= 4))
-- Check currency_exchange_rate_positive (error): An exchange rate must be greater than zero.
-- Holds: ([ExchangeRate] > 0)
-- The system starts with these, to which rows may refer: AUD, GBP, NZD, EUR, USD.
IF OBJECT_ID(N'[dbo].[Currency]') IS NULL
    CREATE TABLE [dbo].[Currency] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- ISO 4217 code.
        [Code] nvarchar(3) NOT NULL,
        -- Name of the currency.
        [Name] nvarchar(100) NOT NULL,
        -- Sign used on documents.
        [Symbol] nvarchar(5) NULL,
        -- Digits after the point, 2 if absent.
        [DecimalPlaces] int NULL,
        -- Units of the base currency for one unit of this one.
        [ExchangeRate] decimal(18, 8) NULL,
        -- Whether it is the currency of the firm's books.
        [IsBase] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_Currency] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Currency]') AND name IN (
        N'ImportId', N'Code', N'Name', N'Symbol', N'DecimalPlaces', N'ExchangeRate', N'IsBase', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 11
    PRINT N'[dbo].[Currency] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Office: An office or branch of the firm.
IF OBJECT_ID(N'[dbo].[Office]') IS NULL
    CREATE TABLE [dbo].[Office] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the office.
        [Name] nvarchar(100) NOT NULL,
        -- Short code.
        [Code] nvarchar(20) NULL,
        -- First line of the address.
        [AddressLine1] nvarchar(200) NULL,
        -- Second line.
        [AddressLine2] nvarchar(200) NULL,
        -- Suburb, town or city.
        [City] nvarchar(100) NULL,
        -- State or county.
        [State] nvarchar(50) NULL,
        -- Post code.
        [PostCode] nvarchar(20) NULL,
        -- Country.
        [Country] nvarchar(60) NULL,
        -- Phone number.
        [Phone] nvarchar(50) NULL,
        -- E-mail address.
        [Email] nvarchar(254) NULL,
        -- ABN or VAT registration number.
        [TaxNumber] nvarchar(30) NULL,
        -- ISO code of the office's currency, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Whether the office is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_Office] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Office]') AND name IN (
        N'ImportId', N'Name', N'Code', N'AddressLine1', N'AddressLine2', N'City', N'State', N'PostCode', N'Country', N'Phone', N'Email', N'TaxNumber', N'Currency', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 18
    PRINT N'[dbo].[Office] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Employee: Somebody who works for the firm: fee earners and support.
-- Check employee_dates_in_order (error): EndDate is before StartDate.
-- Holds: ([EndDate] >= [StartDate])
-- Check employee_rate_not_negative (error): DefaultRate must not be negative.
-- Holds: ([DefaultRate] >= 0)
-- Check employee_not_own_manager (warning): The employee reports to itself: leave ManagerId empty for whoever reports to nobody.
-- Holds: ([ManagerId] <> [ImportId])
IF OBJECT_ID(N'[dbo].[Employee]') IS NULL
    CREATE TABLE [dbo].[Employee] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The name as it is sorted in lists, last name first.
        [SortName] nvarchar(200) NOT NULL,
        -- First name.
        [FirstName] nvarchar(100) NULL,
        -- Last name.
        [LastName] nvarchar(100) NULL,
        -- Initials as used on files.
        [Initials] nvarchar(10) NULL,
        -- Position.
        [Title] nvarchar(100) NULL,
        -- Kind of position.
        -- EmployeeRole: 0 Partner, 1 Solicitor, 2 Paralegal, 3 Support, 4 Other
        [Role] smallint NULL,
        -- The office of the employee.
        -- References Office.ImportId
        [OfficeId] nvarchar(100) NULL,
        -- The employee to whom this one reports.
        -- References Employee.ImportId
        [ManagerId] nvarchar(100) NULL,
        -- E-mail address at work.
        [Email] nvarchar(254) NULL,
        -- Phone number at work.
        [Phone] nvarchar(50) NULL,
        -- Charge per hour, before tax.
        [DefaultRate] decimal(19, 4) NULL,
        -- First day with the firm.
        [StartDate] date NULL,
        -- Last day with the firm.
        [EndDate] date NULL,
        -- Whether the employee records time.
        [IsFeeEarner] bit NULL,
        -- Whether the employee is with the firm.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Employee_Role] CHECK ([Role] BETWEEN 0 AND 4),
        CONSTRAINT [PK_Efimis_Employee] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Employee]') AND name IN (
        N'ImportId', N'SortName', N'FirstName', N'LastName', N'Initials', N'Title', N'Role', N'OfficeId', N'ManagerId', N'Email', N'Phone', N'DefaultRate', N'StartDate', N'EndDate', N'IsFeeEarner', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 20
    PRINT N'[dbo].[Employee] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Journal: A book of the ledger, for the firm's own money or for clients' money.
-- The system starts with these, to which rows may refer: OFFICE, TRUST.
IF OBJECT_ID(N'[dbo].[Journal]') IS NULL
    CREATE TABLE [dbo].[Journal] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the journal.
        [Name] nvarchar(100) NOT NULL,
        -- Office or trust.
        -- JournalType: 0 Office, 1 Trust
        [Type] smallint NOT NULL,
        -- Short code.
        [Code] nvarchar(20) NULL,
        -- What it is for.
        [Description] nvarchar(500) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Journal_Type] CHECK ([Type] BETWEEN 0 AND 1),
        CONSTRAINT [PK_Efimis_Journal] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Journal]') AND name IN (
        N'ImportId', N'Name', N'Type', N'Code', N'Description', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 10
    PRINT N'[dbo].[Journal] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Account: An account of the general ledger. The system is provisioned with a default chart of accounts.
-- Check account_type_fits_category (warning): Type and AccountCategory do not fit: a bank account, say, is an asset.
-- Holds: ([AccountCategory] = (case when ([Type] in (0, 1, 2, 3, 4)) then 0 when ([Type] in (5, 6, 7, 8)) then 1 when ([Type] = 9) then 2 when ([Type] in (10, 11)) then 3 else 4 end))
-- Check account_not_own_parent (error): The account is its own parent: leave ParentAccountId empty at the top.
-- Holds: ([ParentAccountId] <> [ImportId])
-- The system starts with these, to which rows may refer: 1000, 1010, 1020, 1030, 1100, 1150, 1160, 1170, 1180, 1190, 1500, 1510, 1900, 1910, 2000, 2100, 2150, 2200, 2300, 2500, 2900, 3000, 3100, 3900, 4000, 4100, 4110, 4200, 4300, 4900, 5000, 6000, 6010, 6100, 6200, 6300, 6400, 6500, 6600, 6700, 6800, 9000.
IF OBJECT_ID(N'[dbo].[Account]') IS NULL
    CREATE TABLE [dbo].[Account] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the account.
        [Name] nvarchar(200) NOT NULL,
        -- What is posted to it.
        [Description] nvarchar(1000) NULL,
        -- The journal to which it belongs.
        -- References Journal.ImportId
        [JournalId] nvarchar(100) NULL,
        -- The account under which it is summed up.
        -- References Account.ImportId
        [ParentAccountId] nvarchar(100) NULL,
        -- Kind of the account.
        -- AccountType: 0 Bank, 1 TrustBank, 2 AccountsReceivable, 3 CurrentAsset, 4 FixedAsset, 5 AccountsPayable, 6 CurrentLiability, 7 LongTermLiability, 8 ClientFunds, 9 Equity, 10 Income, 11 OtherIncome, 12 CostOfSales, 13 Expense, 14 OtherExpense
        [Type] smallint NOT NULL,
        -- What the system uses it for. Not supported yet by the receiving side.
        -- Several of AccountRole, separated by semicolons: 0 Unallocated, 1 UnbankedFunds, 2 AccountsReceivable, 3 DebtorsAdjustment, 4 AccountsPayable, 5 CreditorsAdjustment, 6 SupplierPrepayments, 7 SupplierCredits, 8 Disbursement, 9 DisbursementRecovered, 10 AnticipatedDisbursement, 11 AnticipatedDisbursementRecovered, 12 ClientFunds, 13 CreditNotes, 14 TaxCollected, 15 TaxPaid, 16 CmaControl
        [AccountRoles] nvarchar(500) NULL,
        -- Side of the accounts.
        -- AccountCategory: 0 Asset, 1 Liability, 2 Equity, 3 Revenue, 4 Expense
        [AccountCategory] smallint NOT NULL,
        -- Code in the chart of accounts.
        [AccountCode] nvarchar(50) NULL,
        -- Name of the bank, of a bank account.
        [BankName] nvarchar(100) NULL,
        -- BSB or sort code, of a bank account.
        [BankBSB] nvarchar(20) NULL,
        -- Account number or IBAN, of a bank account.
        [BankAccountNumber] nvarchar(34) NULL,
        -- Code of the tax that applies as a rule.
        [TaxCode] nvarchar(20) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Balance at the time of the export, debit positive.
        [Balance] decimal(19, 4) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Account_Type] CHECK ([Type] BETWEEN 0 AND 14),
        CONSTRAINT [CK_Efimis_Account_AccountCategory] CHECK ([AccountCategory] BETWEEN 0 AND 4),
        CONSTRAINT [PK_Efimis_Account] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Account]') AND name IN (
        N'ImportId', N'Name', N'Description', N'JournalId', N'ParentAccountId', N'Type', N'AccountRoles', N'AccountCategory', N'AccountCode', N'BankName', N'BankBSB', N'BankAccountNumber', N'TaxCode', N'Currency', N'Balance', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 19
    PRINT N'[dbo].[Account] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- TaxCode: A rate of GST or VAT.
-- Check tax_code_rate_in_range (error): Rate is a percentage and must be between 0 and 100.
-- Holds: (([Rate] >= 0) and ([Rate] <= 100))
-- Check tax_code_rate_is_percentage (warning): Rate looks like a fraction: write 10 for ten per cent, not 0.1.
-- Holds: (([Rate] = 0) or ([Rate] >= 1))
-- The system starts with these, to which rows may refer: GST, GSTFREE, VAT20, VAT5, VAT0, EXEMPT, NONE.
IF OBJECT_ID(N'[dbo].[TaxCode]') IS NULL
    CREATE TABLE [dbo].[TaxCode] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Short code. Other tables name the tax by it.
        [Code] nvarchar(20) NOT NULL,
        -- What it applies to.
        [Description] nvarchar(200) NULL,
        -- Per cent: 10 for ten per cent.
        [Rate] decimal(9, 6) NOT NULL,
        -- The account of tax on sales.
        -- References Account.ImportId
        [TaxCollectedAccountId] nvarchar(100) NULL,
        -- The account of tax on purchases.
        -- References Account.ImportId
        [TaxPaidAccountId] nvarchar(100) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_TaxCode] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[TaxCode]') AND name IN (
        N'ImportId', N'Code', N'Description', N'Rate', N'TaxCollectedAccountId', N'TaxPaidAccountId', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 11
    PRINT N'[dbo].[TaxCode] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- MatterType: An area of law or kind of matter.
IF OBJECT_ID(N'[dbo].[MatterType]') IS NULL
    CREATE TABLE [dbo].[MatterType] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the type.
        [Name] nvarchar(100) NOT NULL,
        -- Short code.
        [Code] nvarchar(20) NULL,
        -- What belongs to it.
        [Description] nvarchar(500) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_MatterType] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[MatterType]') AND name IN (
        N'ImportId', N'Name', N'Code', N'Description', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 9
    PRINT N'[dbo].[MatterType] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- TaskType: A kind of work that is recorded on matters.
-- Check task_type_not_negative (error): DefaultRate must not be negative, and UnitDuration must be at least one minute.
-- Holds: ((([DefaultRate] is null) or ([DefaultRate] >= 0)) and (([UnitDuration] is null) or ([UnitDuration] >= 1)))
IF OBJECT_ID(N'[dbo].[TaskType]') IS NULL
    CREATE TABLE [dbo].[TaskType] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the type.
        [Name] nvarchar(100) NOT NULL,
        -- Short code.
        [Code] nvarchar(20) NULL,
        -- What belongs to it.
        [Description] nvarchar(500) NULL,
        -- How it is charged as a rule.
        -- WorkItemType: 0 Time, 1 Fixed, 2 Unit
        [ItemType] smallint NULL,
        -- Rate if neither matter nor employee has one, before tax.
        [DefaultRate] decimal(19, 4) NULL,
        -- Minutes of one unit, usually 6.
        [UnitDuration] int NULL,
        -- Code of the tax that applies as a rule.
        [TaxCode] nvarchar(20) NULL,
        -- The account that is credited when it is billed.
        -- References Account.ImportId
        [RevenueAccountId] nvarchar(100) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_TaskType_ItemType] CHECK ([ItemType] BETWEEN 0 AND 2),
        CONSTRAINT [PK_Efimis_TaskType] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[TaskType]') AND name IN (
        N'ImportId', N'Name', N'Code', N'Description', N'ItemType', N'DefaultRate', N'UnitDuration', N'TaxCode', N'RevenueAccountId', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 14
    PRINT N'[dbo].[TaskType] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Contact: A person or organisation that the firm knows: clients, suppliers, parties, courts.
-- Check contact_has_name (error): A person needs a FirstName or LastName, an organisation an OrganisationName, a SortName serves either.
-- Holds: ((([SortName] is not null) or (([Type] = 0) and (([LastName] is not null) or ([FirstName] is not null)))) or (([Type] = 1) and ([OrganisationName] is not null)))
-- Check contact_not_own_organisation (error): The contact belongs to itself: leave OrganisationId empty.
-- Holds: ([OrganisationId] <> [ImportId])
IF OBJECT_ID(N'[dbo].[Contact]') IS NULL
    CREATE TABLE [dbo].[Contact] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Person or organisation.
        -- ContactType: 0 Person, 1 Organisation
        [Type] smallint NOT NULL,
        -- Form of address.
        [Title] nvarchar(50) NULL,
        -- First name of a person.
        [FirstName] nvarchar(100) NULL,
        -- Further names of a person.
        [MiddleName] nvarchar(100) NULL,
        -- Last name of a person.
        [LastName] nvarchar(100) NULL,
        -- Name of an organisation, or of the one for which a person works.
        [OrganisationName] nvarchar(200) NULL,
        -- The name as it is sorted in lists.
        [SortName] nvarchar(200) NULL,
        -- Date of birth of a person.
        [DateOfBirth] date NULL,
        -- ABN, ACN or company number.
        [BusinessNumber] nvarchar(30) NULL,
        -- The organisation to which a person belongs.
        -- References Contact.ImportId
        [OrganisationId] nvarchar(100) NULL,
        -- The e-mail address to use first.
        [Email] nvarchar(254) NULL,
        -- The phone number to use first.
        [Phone] nvarchar(50) NULL,
        -- Remarks.
        [Notes] nvarchar(max) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Contact_Type] CHECK ([Type] BETWEEN 0 AND 1),
        CONSTRAINT [PK_Efimis_Contact] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Contact]') AND name IN (
        N'ImportId', N'Type', N'Title', N'FirstName', N'MiddleName', N'LastName', N'OrganisationName', N'SortName', N'DateOfBirth', N'BusinessNumber', N'OrganisationId', N'Email', N'Phone', N'Notes', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 19
    PRINT N'[dbo].[Contact] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- ContactAddress: An address of a contact.
-- Check contact_address_not_empty (warning): The address has neither a line nor a city nor a post code.
-- Holds: ((([Line1] is not null) or ([City] is not null)) or ([PostCode] is not null))
IF OBJECT_ID(N'[dbo].[ContactAddress]') IS NULL
    CREATE TABLE [dbo].[ContactAddress] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Whose address it is.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NOT NULL,
        -- What it is used for, Street if absent.
        -- AddressType: 0 Street, 1 Postal, 2 Billing, 3 RegisteredOffice, 4 Other
        [Type] smallint NULL,
        -- First line.
        [Line1] nvarchar(200) NULL,
        -- Second line.
        [Line2] nvarchar(200) NULL,
        -- Third line.
        [Line3] nvarchar(200) NULL,
        -- Suburb, town or city.
        [City] nvarchar(100) NULL,
        -- State or county.
        [State] nvarchar(50) NULL,
        -- Post code.
        [PostCode] nvarchar(20) NULL,
        -- Country.
        [Country] nvarchar(60) NULL,
        -- Whether it is the one to use first.
        [IsPrimary] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_ContactAddress_Type] CHECK ([Type] BETWEEN 0 AND 4),
        CONSTRAINT [PK_Efimis_ContactAddress] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[ContactAddress]') AND name IN (
        N'ImportId', N'ContactId', N'Type', N'Line1', N'Line2', N'Line3', N'City', N'State', N'PostCode', N'Country', N'IsPrimary', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 15
    PRINT N'[dbo].[ContactAddress] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- ContactPoint: A phone number, e-mail address or the like of a contact.
IF OBJECT_ID(N'[dbo].[ContactPoint]') IS NULL
    CREATE TABLE [dbo].[ContactPoint] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Whose it is.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NOT NULL,
        -- Phone, e-mail or other.
        -- ContactPointType: 0 Phone, 1 Mobile, 2 Fax, 3 Email, 4 Website, 5 Other
        [Type] smallint NOT NULL,
        -- The number or address.
        [Value] nvarchar(254) NOT NULL,
        -- Home, work and so on.
        [Label] nvarchar(50) NULL,
        -- Whether it is the one to use first.
        [IsPrimary] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_ContactPoint_Type] CHECK ([Type] BETWEEN 0 AND 5),
        CONSTRAINT [PK_Efimis_ContactPoint] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[ContactPoint]') AND name IN (
        N'ImportId', N'ContactId', N'Type', N'Value', N'Label', N'IsPrimary', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 10
    PRINT N'[dbo].[ContactPoint] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Client: A contact for whom the firm acts and whom it bills.
-- Check client_dates_in_order (error): ClosedDate is before OpenedDate.
-- Holds: ([ClosedDate] >= [OpenedDate])
-- Check client_terms_not_negative (error): PaymentTermDays and CreditLimit must not be negative.
-- Holds: ((([PaymentTermDays] is null) or ([PaymentTermDays] >= 0)) and (([CreditLimit] is null) or ([CreditLimit] >= 0)))
IF OBJECT_ID(N'[dbo].[Client]') IS NULL
    CREATE TABLE [dbo].[Client] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Who the client is.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NOT NULL,
        -- Client number.
        [Number] nvarchar(50) NULL,
        -- Whether the firm acts for the client, Active if absent.
        -- ClientState: 0 Active, 1 Inactive, 2 OnHold
        [State] smallint NULL,
        -- The office that looks after the client.
        -- References Office.ImportId
        [OfficeId] nvarchar(100) NULL,
        -- Who looks after the client.
        -- References Employee.ImportId
        [ResponsibleEmployeeId] nvarchar(100) NULL,
        -- ISO code of the currency billed, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Days from invoice to payment.
        [PaymentTermDays] int NULL,
        -- The most the client may owe.
        [CreditLimit] decimal(19, 4) NULL,
        -- Code of the tax that applies as a rule.
        [TaxCode] nvarchar(20) NULL,
        -- First day as a client.
        [OpenedDate] date NULL,
        -- Last day as a client.
        [ClosedDate] date NULL,
        -- Remarks.
        [Notes] nvarchar(max) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Client_State] CHECK ([State] BETWEEN 0 AND 2),
        CONSTRAINT [PK_Efimis_Client] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Client]') AND name IN (
        N'ImportId', N'ContactId', N'Number', N'State', N'OfficeId', N'ResponsibleEmployeeId', N'Currency', N'PaymentTermDays', N'CreditLimit', N'TaxCode', N'OpenedDate', N'ClosedDate', N'Notes', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 17
    PRINT N'[dbo].[Client] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Supplier: Somebody whom the firm pays.
-- Check supplier_terms_not_negative (error): PaymentTermDays must not be negative.
-- Holds: ([PaymentTermDays] >= 0)
IF OBJECT_ID(N'[dbo].[Supplier]') IS NULL
    CREATE TABLE [dbo].[Supplier] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the supplier.
        [Name] nvarchar(200) NOT NULL,
        -- The contact that it is.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NULL,
        -- Supplier number.
        [Number] nvarchar(50) NULL,
        -- ABN or VAT registration number.
        [TaxNumber] nvarchar(30) NULL,
        -- Code of the tax that applies as a rule.
        [TaxCode] nvarchar(20) NULL,
        -- The account that is debited as a rule.
        -- References Account.ImportId
        [AccountId] nvarchar(100) NULL,
        -- Days from invoice to payment.
        [PaymentTermDays] int NULL,
        -- The supplier's bank.
        [BankName] nvarchar(100) NULL,
        -- BSB or sort code.
        [BankBSB] nvarchar(20) NULL,
        -- Account number or IBAN.
        [BankAccountNumber] nvarchar(34) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_Supplier] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Supplier]') AND name IN (
        N'ImportId', N'Name', N'ContactId', N'Number', N'TaxNumber', N'TaxCode', N'AccountId', N'PaymentTermDays', N'BankName', N'BankBSB', N'BankAccountNumber', N'Currency', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 17
    PRINT N'[dbo].[Supplier] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Matter: A piece of legal work for a client: the unit of recording, billing and trust money.
-- Check matter_dates_in_order (error): ClosedDate is before OpenedDate.
-- Holds: ([ClosedDate] >= [OpenedDate])
-- Check matter_closed_has_date (warning): The matter is closed, but ClosedDate is empty.
-- Holds: ((([State] is null) or ([State] not in (2, 3))) or ([ClosedDate] is not null))
-- Check matter_fixed_fee_given (warning): The matter is charged by a fixed fee, but FixedFee is empty.
-- Holds: ((([BillingMethod] is null) or ([BillingMethod] <> 1)) or ([FixedFee] is not null))
-- Check matter_amounts_not_negative (error): FixedFee and EstimatedFees must not be negative.
-- Holds: ((([FixedFee] is null) or ([FixedFee] >= 0)) and (([EstimatedFees] is null) or ([EstimatedFees] >= 0)))
IF OBJECT_ID(N'[dbo].[Matter]') IS NULL
    CREATE TABLE [dbo].[Matter] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Matter number.
        [Number] nvarchar(50) NOT NULL,
        -- What the matter is about.
        [Title] nvarchar(300) NOT NULL,
        -- For whom the firm acts.
        -- References Client.ImportId
        [ClientId] nvarchar(100) NOT NULL,
        -- Kind of the matter.
        -- References MatterType.ImportId
        [MatterTypeId] nvarchar(100) NULL,
        -- The office that does the work.
        -- References Office.ImportId
        [OfficeId] nvarchar(100) NULL,
        -- Who answers for the matter.
        -- References Employee.ImportId
        [ResponsibleEmployeeId] nvarchar(100) NULL,
        -- Who does the work.
        -- References Employee.ImportId
        [ActingEmployeeId] nvarchar(100) NULL,
        -- Whether work is being done, Open if absent.
        -- MatterState: 0 Open, 1 OnHold, 2 Closed, 3 Archived
        [State] smallint NULL,
        -- How it is charged, Time if absent.
        -- BillingMethod: 0 Time, 1 FixedFee, 2 Conditional, 3 Scale, 4 ProBono
        [BillingMethod] smallint NULL,
        -- The fee agreed, before tax.
        [FixedFee] decimal(19, 4) NULL,
        -- What the client was told it would cost, before tax.
        [EstimatedFees] decimal(19, 4) NULL,
        -- ISO code of the currency billed, the client's if absent.
        [Currency] nvarchar(3) NULL,
        -- First day.
        [OpenedDate] date NULL,
        -- Last day.
        [ClosedDate] date NULL,
        -- The client's reference.
        [Reference] nvarchar(100) NULL,
        -- More about it.
        [Description] nvarchar(max) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Matter_State] CHECK ([State] BETWEEN 0 AND 3),
        CONSTRAINT [CK_Efimis_Matter_BillingMethod] CHECK ([BillingMethod] BETWEEN 0 AND 4),
        CONSTRAINT [PK_Efimis_Matter] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Matter]') AND name IN (
        N'ImportId', N'Number', N'Title', N'ClientId', N'MatterTypeId', N'OfficeId', N'ResponsibleEmployeeId', N'ActingEmployeeId', N'State', N'BillingMethod', N'FixedFee', N'EstimatedFees', N'Currency', N'OpenedDate', N'ClosedDate', N'Reference', N'Description', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 21
    PRINT N'[dbo].[Matter] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- MatterParty: A contact's part in a matter.
IF OBJECT_ID(N'[dbo].[MatterParty]') IS NULL
    CREATE TABLE [dbo].[MatterParty] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The matter.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NOT NULL,
        -- The contact.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NOT NULL,
        -- The contact's part.
        -- PartyRole: 0 Client, 1 OpposingParty, 2 OpposingSolicitor, 3 Counsel, 4 Witness, 5 Expert, 6 Court, 7 Insurer, 8 Beneficiary, 9 Other
        [Role] smallint NOT NULL,
        -- The contact's own reference.
        [Reference] nvarchar(100) NULL,
        -- Remarks.
        [Notes] nvarchar(1000) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_MatterParty_Role] CHECK ([Role] BETWEEN 0 AND 9),
        CONSTRAINT [PK_Efimis_MatterParty] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[MatterParty]') AND name IN (
        N'ImportId', N'MatterId', N'ContactId', N'Role', N'Reference', N'Notes', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 10
    PRINT N'[dbo].[MatterParty] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- MatterRate: A rate agreed for a matter: for an employee, a task type, both or all.
-- Check matter_rate_dates_in_order (error): EffectiveTo is before EffectiveFrom.
-- Holds: ([EffectiveTo] >= [EffectiveFrom])
-- Check matter_rate_not_negative (error): Rate must not be negative.
-- Holds: ([Rate] >= 0)
IF OBJECT_ID(N'[dbo].[MatterRate]') IS NULL
    CREATE TABLE [dbo].[MatterRate] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The matter.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NOT NULL,
        -- For whose work, everybody's if absent.
        -- References Employee.ImportId
        [EmployeeId] nvarchar(100) NULL,
        -- For which work, all if absent.
        -- References TaskType.ImportId
        [TaskTypeId] nvarchar(100) NULL,
        -- Charge per hour or unit, before tax.
        [Rate] decimal(19, 4) NOT NULL,
        -- First day on which it applies.
        [EffectiveFrom] date NULL,
        -- Last day on which it applies.
        [EffectiveTo] date NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_MatterRate] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[MatterRate]') AND name IN (
        N'ImportId', N'MatterId', N'EmployeeId', N'TaskTypeId', N'Rate', N'EffectiveFrom', N'EffectiveTo', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 11
    PRINT N'[dbo].[MatterRate] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- MatterNote: A file note on a matter.
IF OBJECT_ID(N'[dbo].[MatterNote]') IS NULL
    CREATE TABLE [dbo].[MatterNote] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The matter.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NOT NULL,
        -- The day it is about.
        [NoteDate] date NULL,
        -- Who wrote it.
        -- References Employee.ImportId
        [EmployeeId] nvarchar(100) NULL,
        -- Heading.
        [Subject] nvarchar(300) NULL,
        -- The note.
        [Text] nvarchar(max) NOT NULL,
        -- Whether only its author sees it.
        [IsPrivate] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_MatterNote] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[MatterNote]') AND name IN (
        N'ImportId', N'MatterId', N'NoteDate', N'EmployeeId', N'Subject', N'Text', N'IsPrivate', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 11
    PRINT N'[dbo].[MatterNote] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- WorkItem: Time or other work done on a matter.
-- Check work_item_not_negative (error): Rate and Units must not be negative, a reduction is a negative Total.
-- Holds: ((([Rate] is null) or ([Rate] >= 0)) and (([Units] is null) or ([Units] >= 0)))
-- Check work_item_unit_duration (error): UnitDuration is in minutes and must be between 1 and 1440.
-- Holds: (([UnitDuration] >= 1) and ([UnitDuration] <= 1440))
-- Check work_item_total_plausible (warning): Total is not what Rate, Units and UnitDuration make: Rate per hour, times Units, times UnitDuration in minutes.
-- Holds: ((COALESCE([ItemType], 0) <> 0) or (ABS((([Total] * 60) - (([Rate] * [Units]) * [UnitDuration]))) <= 6))
IF OBJECT_ID(N'[dbo].[WorkItem]') IS NULL
    CREATE TABLE [dbo].[WorkItem] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The day on which the work was done.
        [EntryDate] date NOT NULL,
        -- The matter.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NOT NULL,
        -- Who did the work.
        -- References Employee.ImportId
        [EmployeeId] nvarchar(100) NOT NULL,
        -- How far it has come, Unbilled if absent.
        -- WorkItemState: 0 Draft, 1 Unbilled, 2 Billed, 3 WrittenOff, 4 NonBillable
        [State] smallint NULL,
        -- How it is charged, Time if absent.
        -- WorkItemType: 0 Time, 1 Fixed, 2 Unit
        [ItemType] smallint NULL,
        -- Kind of the work.
        -- References TaskType.ImportId
        [TaskTypeId] nvarchar(100) NULL,
        -- The work in a line.
        [Title] nvarchar(300) NULL,
        -- The narrative for the invoice.
        [Description] nvarchar(4000) NULL,
        -- Charge per hour (or per unit, of a unit item), before tax.
        [Rate] decimal(19, 4) NULL,
        -- Number of units.
        [Units] decimal(18, 4) NULL,
        -- Minutes of one unit, of time. Usually 6.
        [UnitDuration] int NULL,
        -- Charge, before tax.
        [Total] decimal(19, 4) NOT NULL,
        -- Code of the tax that applies.
        [TaxCode] nvarchar(20) NULL,
        -- Tax on top of Total.
        [TaxAmount] decimal(19, 4) NULL,
        -- Whether it is to be billed, yes if absent.
        [IsBillable] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_WorkItem_State] CHECK ([State] BETWEEN 0 AND 4),
        CONSTRAINT [CK_Efimis_WorkItem_ItemType] CHECK ([ItemType] BETWEEN 0 AND 2),
        CONSTRAINT [PK_Efimis_WorkItem] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[WorkItem]') AND name IN (
        N'ImportId', N'EntryDate', N'MatterId', N'EmployeeId', N'State', N'ItemType', N'TaskTypeId', N'Title', N'Description', N'Rate', N'Units', N'UnitDuration', N'Total', N'TaxCode', N'TaxAmount', N'IsBillable', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 20
    PRINT N'[dbo].[WorkItem] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Disbursement: An expense on a matter that is charged to the client.
-- Check disbursement_not_negative (error): Quantity and UnitPrice must not be negative, a refund is a negative Total.
-- Holds: ((([Quantity] is null) or ([Quantity] >= 0)) and (([UnitPrice] is null) or ([UnitPrice] >= 0)))
-- Check disbursement_supplier_known (warning): An incurred disbursement should name its supplier.
-- Holds: (([DisbursementType] <> 2) or ([SupplierId] is not null))
-- Check disbursement_account_known (error): A disbursement of the kind GeneralLedger needs the account it is posted to.
-- Holds: (([DisbursementType] <> 3) or ([AccountId] is not null))
-- Check disbursement_total_plausible (warning): Total is not Quantity times UnitPrice.
-- Holds: (ABS(([Total] - ROUND(([Quantity] * [UnitPrice]), 2))) <= 0.05)
IF OBJECT_ID(N'[dbo].[Disbursement]') IS NULL
    CREATE TABLE [dbo].[Disbursement] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The day of the expense.
        [EntryDate] date NOT NULL,
        -- The matter.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NOT NULL,
        -- Which of the four kinds it is.
        -- DisbursementType: 0 CostRecovery, 1 Anticipated, 2 Incurred, 3 GeneralLedger
        [DisbursementType] smallint NOT NULL,
        -- How far it has come, Unbilled if absent.
        -- WorkItemState: 0 Draft, 1 Unbilled, 2 Billed, 3 WrittenOff, 4 NonBillable
        [State] smallint NULL,
        -- Who caused it.
        -- References Employee.ImportId
        [EmployeeId] nvarchar(100) NULL,
        -- Who is owed or was paid.
        -- References Supplier.ImportId
        [SupplierId] nvarchar(100) NULL,
        -- The account posted to, of the kind GeneralLedger.
        -- References Account.ImportId
        [AccountId] nvarchar(100) NULL,
        -- The expense in a line.
        [Title] nvarchar(300) NULL,
        -- The narrative for the invoice.
        [Description] nvarchar(4000) NULL,
        -- Number of the supplier's invoice.
        [SupplierInvoiceNumber] nvarchar(50) NULL,
        -- Number of units.
        [Quantity] decimal(18, 4) NULL,
        -- Price of one unit, before tax.
        [UnitPrice] decimal(19, 4) NULL,
        -- Charge, before tax.
        [Total] decimal(19, 4) NOT NULL,
        -- Code of the tax that applies.
        [TaxCode] nvarchar(20) NULL,
        -- Tax on top of Total.
        [TaxAmount] decimal(19, 4) NULL,
        -- Whether the supplier has been paid.
        [IsPaid] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Disbursement_DisbursementType] CHECK ([DisbursementType] BETWEEN 0 AND 3),
        CONSTRAINT [CK_Efimis_Disbursement_State] CHECK ([State] BETWEEN 0 AND 4),
        CONSTRAINT [PK_Efimis_Disbursement] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Disbursement]') AND name IN (
        N'ImportId', N'EntryDate', N'MatterId', N'DisbursementType', N'State', N'EmployeeId', N'SupplierId', N'AccountId', N'Title', N'Description', N'SupplierInvoiceNumber', N'Quantity', N'UnitPrice', N'Total', N'TaxCode', N'TaxAmount', N'IsPaid', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 21
    PRINT N'[dbo].[Disbursement] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Invoice: An invoice to a client.
-- Unique where given: Number.
-- Check invoice_lines_add_up (error): The lines of the invoice do not add up to its Total.
-- Check invoice_parts_add_up (warning): FeesTotal, DisbursementsTotal and TaxTotal do not add up to Total.
-- Holds: ((([FeesTotal] + [DisbursementsTotal]) + [TaxTotal]) = [Total])
-- Check invoice_dates_in_order (warning): DueDate is before InvoiceDate.
-- Holds: ([DueDate] >= [InvoiceDate])
-- Check invoice_period_in_order (error): PeriodEnd is before PeriodStart.
-- Holds: ([PeriodEnd] >= [PeriodStart])
-- Check invoice_has_debtor (warning): The invoice names neither a matter nor a client nor a contact: nobody would owe it.
-- Holds: ((([MatterId] is not null) or ([ClientId] is not null)) or ([ContactId] is not null))
-- Check invoice_outstanding_in_range (warning): OutstandingAmount is more than Total, or negative.
-- Holds: (([Total] < 0) or (([OutstandingAmount] >= 0) and ([OutstandingAmount] <= [Total])))
-- Check invoice_not_overpaid (warning): More was allocated to the invoice than its Total.
-- Check invoice_not_overcredited (warning): The credit notes of the invoice come to more than its Total.
IF OBJECT_ID(N'[dbo].[Invoice]') IS NULL
    CREATE TABLE [dbo].[Invoice] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Invoice number.
        [Number] nvarchar(50) NULL,
        -- Date of the invoice.
        [InvoiceDate] date NOT NULL,
        -- Date by which it is to be paid.
        [DueDate] date NULL,
        -- The matter that is billed.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NULL,
        -- The client who is billed.
        -- References Client.ImportId
        [ClientId] nvarchar(100) NULL,
        -- To whom it is addressed, if not to the client.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NULL,
        -- Who answers for it.
        -- References Employee.ImportId
        [EmployeeId] nvarchar(100) NULL,
        -- How far it has come, Issued if absent.
        -- InvoiceState: 0 Draft, 1 Approved, 2 Issued, 3 Paid, 4 WrittenOff, 5 Cancelled
        [State] smallint NULL,
        -- First day of the work billed.
        [PeriodStart] date NULL,
        -- Last day of the work billed.
        [PeriodEnd] date NULL,
        -- Fees, before tax.
        [FeesTotal] decimal(19, 4) NULL,
        -- Disbursements, before tax.
        [DisbursementsTotal] decimal(19, 4) NULL,
        -- Tax.
        [TaxTotal] decimal(19, 4) NULL,
        -- What is to be paid, tax included.
        [Total] decimal(19, 4) NOT NULL,
        -- What is not paid yet.
        [OutstandingAmount] decimal(19, 4) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- The client's reference.
        [Reference] nvarchar(100) NULL,
        -- Text of the invoice.
        [Description] nvarchar(4000) NULL,
        -- Address as printed, if it is not the contact's.
        [BillingAddress] nvarchar(500) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Invoice_State] CHECK ([State] BETWEEN 0 AND 5),
        CONSTRAINT [PK_Efimis_Invoice] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Invoice]') AND name IN (
        N'ImportId', N'Number', N'InvoiceDate', N'DueDate', N'MatterId', N'ClientId', N'ContactId', N'EmployeeId', N'State', N'PeriodStart', N'PeriodEnd', N'FeesTotal', N'DisbursementsTotal', N'TaxTotal', N'Total', N'OutstandingAmount', N'Currency', N'Reference', N'Description', N'BillingAddress', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 24
    PRINT N'[dbo].[Invoice] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- InvoiceLine: A line of an invoice. It has a Total, or a Quantity and a UnitPrice from which it follows.
-- Check invoice_line_has_amount (error): The line needs a Total, or a Quantity and a UnitPrice.
-- Holds: (([Total] is not null) or (([Quantity] is not null) and ([UnitPrice] is not null)))
-- Check invoice_line_total_plausible (warning): Total is not Quantity times UnitPrice plus TaxAmount.
-- Holds: (ABS(([Total] - (ROUND(([Quantity] * [UnitPrice]), 2) + COALESCE([TaxAmount], 0)))) <= 0.05)
IF OBJECT_ID(N'[dbo].[InvoiceLine]') IS NULL
    CREATE TABLE [dbo].[InvoiceLine] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The invoice.
        -- References Invoice.ImportId
        [InvoiceId] nvarchar(100) NOT NULL,
        -- Place on the invoice.
        [LineNumber] int NULL,
        -- What it charges for, Fee if absent.
        -- InvoiceLineType: 0 Fee, 1 Disbursement, 2 Interest, 3 Discount, 4 Rounding
        [LineType] smallint NULL,
        -- The work item that is billed.
        -- References WorkItem.ImportId
        [WorkItemId] nvarchar(100) NULL,
        -- The disbursement that is billed.
        -- References Disbursement.ImportId
        [DisbursementId] nvarchar(100) NULL,
        -- The account that is credited.
        -- References Account.ImportId
        [AccountId] nvarchar(100) NULL,
        -- Text of the line.
        [Description] nvarchar(4000) NULL,
        -- Number of units.
        [Quantity] decimal(18, 4) NULL,
        -- Price of one unit, before tax.
        [UnitPrice] decimal(19, 4) NULL,
        -- Code of the tax that applies.
        [TaxCode] nvarchar(20) NULL,
        -- Tax, included in Total.
        [TaxAmount] decimal(19, 4) NULL,
        -- Amount of the line, tax included.
        [Total] decimal(19, 4) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_InvoiceLine_LineType] CHECK ([LineType] BETWEEN 0 AND 4),
        CONSTRAINT [PK_Efimis_InvoiceLine] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[InvoiceLine]') AND name IN (
        N'ImportId', N'InvoiceId', N'LineNumber', N'LineType', N'WorkItemId', N'DisbursementId', N'AccountId', N'Description', N'Quantity', N'UnitPrice', N'TaxCode', N'TaxAmount', N'Total', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 17
    PRINT N'[dbo].[InvoiceLine] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- BankAccount: A bank account of the firm, for its own money or for clients'.
IF OBJECT_ID(N'[dbo].[BankAccount]') IS NULL
    CREATE TABLE [dbo].[BankAccount] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Name of the account.
        [Name] nvarchar(100) NOT NULL,
        -- Whose money it holds.
        -- BankAccountType: 0 Office, 1 Trust, 2 ControlledMoney
        [Type] smallint NOT NULL,
        -- Its account in the ledger.
        -- References Account.ImportId
        [AccountId] nvarchar(100) NULL,
        -- The office that uses it.
        -- References Office.ImportId
        [OfficeId] nvarchar(100) NULL,
        -- Name of the bank.
        [BankName] nvarchar(100) NULL,
        -- BSB or sort code.
        [BankBSB] nvarchar(20) NULL,
        -- Account number or IBAN.
        [BankAccountNumber] nvarchar(34) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Whether it is in use.
        [IsActive] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_BankAccount_Type] CHECK ([Type] BETWEEN 0 AND 2),
        CONSTRAINT [PK_Efimis_BankAccount] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[BankAccount]') AND name IN (
        N'ImportId', N'Name', N'Type', N'AccountId', N'OfficeId', N'BankName', N'BankBSB', N'BankAccountNumber', N'Currency', N'IsActive', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 14
    PRINT N'[dbo].[BankAccount] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- Receipt: Money received in the office account.
-- Check receipt_amount_positive (error): Amount must be greater than zero: a receipt that was reversed stays as it is, with IsReversed.
-- Holds: ([Amount] > 0)
-- Check receipt_not_over_allocated (error): More was allocated from the receipt than its Amount.
IF OBJECT_ID(N'[dbo].[Receipt]') IS NULL
    CREATE TABLE [dbo].[Receipt] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Receipt number.
        [Number] nvarchar(50) NULL,
        -- The day on which it was received.
        [ReceiptDate] date NOT NULL,
        -- The amount received.
        [Amount] decimal(19, 4) NOT NULL,
        -- The client who paid.
        -- References Client.ImportId
        [ClientId] nvarchar(100) NULL,
        -- Who paid, if not the client.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NULL,
        -- The matter, if it was for one.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NULL,
        -- Where it was banked.
        -- References BankAccount.ImportId
        [BankAccountId] nvarchar(100) NULL,
        -- How it was paid.
        -- PaymentMethod: 0 BankTransfer, 1 Cheque, 2 Card, 3 Cash, 4 DirectDebit, 5 TrustTransfer, 6 Other
        [Method] smallint NULL,
        -- Who paid.
        [PayerName] nvarchar(200) NULL,
        -- Reference on the bank statement.
        [Reference] nvarchar(100) NULL,
        -- Remarks.
        [Description] nvarchar(1000) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Whether it was reversed since.
        [IsReversed] bit NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_Receipt_Method] CHECK ([Method] BETWEEN 0 AND 6),
        CONSTRAINT [PK_Efimis_Receipt] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[Receipt]') AND name IN (
        N'ImportId', N'Number', N'ReceiptDate', N'Amount', N'ClientId', N'ContactId', N'MatterId', N'BankAccountId', N'Method', N'PayerName', N'Reference', N'Description', N'Currency', N'IsReversed', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 18
    PRINT N'[dbo].[Receipt] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- ReceiptAllocation: The part of a receipt that pays an invoice.
-- Check receipt_allocation_positive (error): Amount must be greater than zero.
-- Holds: ([Amount] > 0)
IF OBJECT_ID(N'[dbo].[ReceiptAllocation]') IS NULL
    CREATE TABLE [dbo].[ReceiptAllocation] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The receipt.
        -- References Receipt.ImportId
        [ReceiptId] nvarchar(100) NOT NULL,
        -- The invoice that is paid.
        -- References Invoice.ImportId
        [InvoiceId] nvarchar(100) NOT NULL,
        -- The part.
        [Amount] decimal(19, 4) NOT NULL,
        -- The day of the allocation.
        [AllocationDate] date NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_ReceiptAllocation] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[ReceiptAllocation]') AND name IN (
        N'ImportId', N'ReceiptId', N'InvoiceId', N'Amount', N'AllocationDate', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 9
    PRINT N'[dbo].[ReceiptAllocation] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- CreditNote: A credit granted to a client.
-- Unique where given: Number.
-- Check credit_note_positive (error): Total must be greater than zero: a credit note is written as what it credits.
-- Holds: ([Total] > 0)
-- Check credit_note_tax_in_range (error): TaxAmount is included in Total and must be between 0 and Total.
-- Holds: (([TaxAmount] >= 0) and ([TaxAmount] <= [Total]))
IF OBJECT_ID(N'[dbo].[CreditNote]') IS NULL
    CREATE TABLE [dbo].[CreditNote] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- Number of the credit note.
        [Number] nvarchar(50) NULL,
        -- Date of the credit note.
        [CreditNoteDate] date NOT NULL,
        -- The invoice that is credited.
        -- References Invoice.ImportId
        [InvoiceId] nvarchar(100) NULL,
        -- The client.
        -- References Client.ImportId
        [ClientId] nvarchar(100) NULL,
        -- The matter.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NULL,
        -- Code of the tax that applies.
        [TaxCode] nvarchar(20) NULL,
        -- Tax, included in Total.
        [TaxAmount] decimal(19, 4) NULL,
        -- The credit, tax included.
        [Total] decimal(19, 4) NOT NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Why it was granted.
        [Reason] nvarchar(1000) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_CreditNote] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[CreditNote]') AND name IN (
        N'ImportId', N'Number', N'CreditNoteDate', N'InvoiceId', N'ClientId', N'MatterId', N'TaxCode', N'TaxAmount', N'Total', N'Currency', N'Reason', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 15
    PRINT N'[dbo].[CreditNote] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- TrustTransaction: A movement of trust (client) money on one matter. A transfer between matters is two rows: TransferOut on the one that gives and TransferIn on the one that receives, which names the former in TransferFromId.
-- Unique where given: BankAccountId, TransactionType, Number.
-- Check trust_transaction_positive (error): Amount must be greater than zero: the type says which way the money goes.
-- Holds: ([Amount] > 0)
-- Check trust_transfer_names_source (error): TransferIn needs the TransferOut that it receives in TransferFromId, and no other type may have one.
-- Holds: ((([TransactionType] = 2) and ([TransferFromId] is not null)) or (([TransactionType] <> 2) and ([TransferFromId] is null)))
-- Check trust_transfer_balances (error): What the receiving matters got is not what the giving matter gave: TransferIn rows must add up to their TransferOut.
-- Check trust_ledger_not_negative (error): The trust ledger of the matter falls below zero: more was paid out than was held for it.
IF OBJECT_ID(N'[dbo].[TrustTransaction]') IS NULL
    CREATE TABLE [dbo].[TrustTransaction] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The day of the movement.
        [TransactionDate] date NOT NULL,
        -- How the money moves.
        -- TrustTransactionType: 0 OpeningBalance, 1 Receipt, 2 TransferIn, 3 PaymentReversal, 4 Payment, 5 TransferOut, 6 ReceiptReversal
        [TransactionType] smallint NOT NULL,
        -- The matter for which the money is held.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NOT NULL,
        -- The amount. Always positive, the type says which way it goes.
        [Amount] decimal(19, 4) NOT NULL,
        -- The trust account.
        -- References BankAccount.ImportId
        [BankAccountId] nvarchar(100) NULL,
        -- Number of the receipt, payment or transfer, unique for its type within the trust account.
        [Number] nvarchar(50) NULL,
        -- Of TransferIn, and of no other: the TransferOut that it receives.
        -- References TrustTransaction.ImportId
        [TransferFromId] nvarchar(100) NULL,
        -- Who paid or was paid.
        -- References Contact.ImportId
        [ContactId] nvarchar(100) NULL,
        -- Name of who paid or was paid.
        [PartyName] nvarchar(200) NULL,
        -- How it was paid.
        -- PaymentMethod: 0 BankTransfer, 1 Cheque, 2 Card, 3 Cash, 4 DirectDebit, 5 TrustTransfer, 6 Other
        [Method] smallint NULL,
        -- What the money is for.
        [Purpose] nvarchar(1000) NULL,
        -- Reference on the bank statement.
        [Reference] nvarchar(100) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_TrustTransaction_TransactionType] CHECK ([TransactionType] BETWEEN 0 AND 6),
        CONSTRAINT [CK_Efimis_TrustTransaction_Method] CHECK ([Method] BETWEEN 0 AND 6),
        CONSTRAINT [PK_Efimis_TrustTransaction] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[TrustTransaction]') AND name IN (
        N'ImportId', N'TransactionDate', N'TransactionType', N'MatterId', N'Amount', N'BankAccountId', N'Number', N'TransferFromId', N'ContactId', N'PartyName', N'Method', N'Purpose', N'Reference', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 17
    PRINT N'[dbo].[TrustTransaction] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- LedgerEntry: An entry in the general ledger. Its lines balance.
-- Check ledger_entry_balances (error): The lines of the entry do not balance: debits and credits differ.
-- Check ledger_entry_has_lines (warning): The entry has no lines.
IF OBJECT_ID(N'[dbo].[LedgerEntry]') IS NULL
    CREATE TABLE [dbo].[LedgerEntry] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The day to which it belongs.
        [EntryDate] date NOT NULL,
        -- The journal.
        -- References Journal.ImportId
        [JournalId] nvarchar(100) NULL,
        -- Number of the entry.
        [Number] nvarchar(50) NULL,
        -- What it is about.
        [Description] nvarchar(1000) NULL,
        -- Reference to a document.
        [Reference] nvarchar(100) NULL,
        -- Whether it counts, Posted if absent.
        -- LedgerEntryState: 0 Draft, 1 Posted, 2 Reversed
        [State] smallint NULL,
        -- The office.
        -- References Office.ImportId
        [OfficeId] nvarchar(100) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- The entry that this one reverses.
        -- References LedgerEntry.ImportId
        [ReversesEntryId] nvarchar(100) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_LedgerEntry_State] CHECK ([State] BETWEEN 0 AND 2),
        CONSTRAINT [PK_Efimis_LedgerEntry] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[LedgerEntry]') AND name IN (
        N'ImportId', N'EntryDate', N'JournalId', N'Number', N'Description', N'Reference', N'State', N'OfficeId', N'Currency', N'ReversesEntryId', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 14
    PRINT N'[dbo].[LedgerEntry] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- LedgerLine: A line of a ledger entry: a debit or a credit of one account.
-- Check ledger_line_debit_or_credit (error): A line has either a Debit or a Credit, the other is empty or 0.
-- Holds: (((COALESCE([Debit], 0) = 0) or (COALESCE([Credit], 0) = 0)) and (([Debit] is not null) or ([Credit] is not null)))
-- Check ledger_line_not_negative (error): Debit and Credit must not be negative: a negative debit is a credit.
-- Holds: ((COALESCE([Debit], 0) >= 0) and (COALESCE([Credit], 0) >= 0))
IF OBJECT_ID(N'[dbo].[LedgerLine]') IS NULL
    CREATE TABLE [dbo].[LedgerLine] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The entry.
        -- References LedgerEntry.ImportId
        [LedgerEntryId] nvarchar(100) NOT NULL,
        -- The account.
        -- References Account.ImportId
        [AccountId] nvarchar(100) NOT NULL,
        -- Place in the entry.
        [LineNumber] int NULL,
        -- Amount debited.
        [Debit] decimal(19, 4) NULL,
        -- Amount credited.
        [Credit] decimal(19, 4) NULL,
        -- The matter, if it belongs to one.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NULL,
        -- Code of the tax that applies.
        [TaxCode] nvarchar(20) NULL,
        -- Tax, included in the amount.
        [TaxAmount] decimal(19, 4) NULL,
        -- Text of the line.
        [Description] nvarchar(1000) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [PK_Efimis_LedgerLine] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[LedgerLine]') AND name IN (
        N'ImportId', N'LedgerEntryId', N'AccountId', N'LineNumber', N'Debit', N'Credit', N'MatterId', N'TaxCode', N'TaxAmount', N'Description', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 14
    PRINT N'[dbo].[LedgerLine] was there before and was left as it is, but it lacks columns of Efimis-1.0.';

-- OpeningBalance: A balance brought forward from the former system, of an account or of a matter. Trust money is brought forward with TrustTransaction.
-- Check opening_balance_debit_or_credit (error): An opening balance is either a Debit or a Credit, the other is empty or 0.
-- Holds: (((COALESCE([Debit], 0) = 0) or (COALESCE([Credit], 0) = 0)) and (([Debit] is not null) or ([Credit] is not null)))
-- Check opening_balance_not_negative (error): Debit and Credit must not be negative: a negative debit is a credit.
-- Holds: ((COALESCE([Debit], 0) >= 0) and (COALESCE([Credit], 0) >= 0))
-- Check opening_balance_matter_given (error): A balance of the type Debtor, WorkInProgress or UnbilledDisbursement needs its matter.
-- Holds: ((([Type] is null) or ([Type] = 0)) or ([MatterId] is not null))
IF OBJECT_ID(N'[dbo].[OpeningBalance]') IS NULL
    CREATE TABLE [dbo].[OpeningBalance] (
        -- The row's id in the source system, or a new one. Other rows refer to this one by it.
        [ImportId] nvarchar(100) NOT NULL,
        -- The day at whose end the balance stood.
        [BalanceDate] date NOT NULL,
        -- What it stands for, Ledger if absent.
        -- OpeningBalanceType: 0 Ledger, 1 Debtor, 2 WorkInProgress, 3 UnbilledDisbursement
        [Type] smallint NULL,
        -- The account.
        -- References Account.ImportId
        [AccountId] nvarchar(100) NOT NULL,
        -- The matter, unless it is of an account.
        -- References Matter.ImportId
        [MatterId] nvarchar(100) NULL,
        -- Debit balance, before any credit.
        [Debit] decimal(19, 4) NULL,
        -- Credit balance.
        [Credit] decimal(19, 4) NULL,
        -- ISO code, the base currency if absent.
        [Currency] nvarchar(3) NULL,
        -- Remarks.
        [Description] nvarchar(1000) NULL,
        -- Who made the record in the source system.
        [CreatedBy] nvarchar(100) NULL,
        -- When the record was made.
        [CreatedOn] datetime2(6) NULL,
        -- Who changed the record last.
        [UpdatedBy] nvarchar(100) NULL,
        -- When the record was changed last.
        [UpdatedOn] datetime2(6) NULL,
        CONSTRAINT [CK_Efimis_OpeningBalance_Type] CHECK ([Type] BETWEEN 0 AND 3),
        CONSTRAINT [PK_Efimis_OpeningBalance] PRIMARY KEY ([ImportId])
    )
ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[OpeningBalance]') AND name IN (
        N'ImportId', N'BalanceDate', N'Type', N'AccountId', N'MatterId', N'Debit', N'Credit', N'Currency', N'Description', N'CreatedBy', N'CreatedOn', N'UpdatedBy', N'UpdatedOn'
    )) < 13
    PRINT N'[dbo].[OpeningBalance] was there before and was left as it is, but it lacks columns of Efimis-1.0.';
