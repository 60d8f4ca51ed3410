-- Lets [dropline_reader] read the tables of Efimis-1.0, and nothing else. For SQL Server 2016 and later.
-- Running it again changes nothing.
--
-- First write a password in place of <password> below, as N'...' with every ' in it doubled. Until then it is a
-- syntax error, and nothing runs. Keep no copy of the script with the password in it.
SET NOCOUNT ON;
SET XACT_ABORT ON;

USE [Practice];
IF DB_NAME() <> N'Practice'
    THROW 50000, N'This is for the database [Practice]. Change to it and run this again.', 1;

-- The login, which may connect to the server.
IF NOT EXISTS (SELECT 1 FROM sys.server_principals WHERE name = N'dropline_reader')
    CREATE LOGIN [dropline_reader] WITH PASSWORD = <password>, CHECK_POLICY = ON;
-- For a Windows account in its place: put DOMAIN\account for the name everywhere, and for the line above
--     CREATE LOGIN [DOMAIN\account] FROM WINDOWS

-- Its user in this database. After a database was restored there may be one without a login.
IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = N'dropline_reader')
    CREATE USER [dropline_reader] FOR LOGIN [dropline_reader]
ELSE IF NOT EXISTS (SELECT 1 FROM sys.database_principals AS u JOIN sys.server_principals AS l ON l.sid = u.sid WHERE u.name = N'dropline_reader' AND l.name = N'dropline_reader')
    PRINT N'The user [dropline_reader] was there before and is not that login''s. If it may be: ALTER USER [dropline_reader] WITH LOGIN = [dropline_reader]';

-- What it may do. Whoever may SELECT from a table also sees its columns, keys and row count in the catalogue: VIEW
-- DEFINITION is not needed. The role db_datareader is left out on purpose, as it reads every table of the database.
GRANT CONNECT TO [dropline_reader];
IF COALESCE(OBJECT_ID(N'[dbo].[Currency]', N'U'), OBJECT_ID(N'[dbo].[Currency]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Currency] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Currency] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Office]', N'U'), OBJECT_ID(N'[dbo].[Office]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Office] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Office] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Employee]', N'U'), OBJECT_ID(N'[dbo].[Employee]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Employee] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Employee] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Journal]', N'U'), OBJECT_ID(N'[dbo].[Journal]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Journal] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Journal] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Account]', N'U'), OBJECT_ID(N'[dbo].[Account]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Account] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Account] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[TaxCode]', N'U'), OBJECT_ID(N'[dbo].[TaxCode]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[TaxCode] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[TaxCode] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[MatterType]', N'U'), OBJECT_ID(N'[dbo].[MatterType]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[MatterType] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[MatterType] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[TaskType]', N'U'), OBJECT_ID(N'[dbo].[TaskType]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[TaskType] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[TaskType] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Contact]', N'U'), OBJECT_ID(N'[dbo].[Contact]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Contact] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Contact] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[ContactAddress]', N'U'), OBJECT_ID(N'[dbo].[ContactAddress]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[ContactAddress] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[ContactAddress] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[ContactPoint]', N'U'), OBJECT_ID(N'[dbo].[ContactPoint]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[ContactPoint] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[ContactPoint] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Client]', N'U'), OBJECT_ID(N'[dbo].[Client]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Client] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Client] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Supplier]', N'U'), OBJECT_ID(N'[dbo].[Supplier]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Supplier] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Supplier] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Matter]', N'U'), OBJECT_ID(N'[dbo].[Matter]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Matter] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Matter] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[MatterParty]', N'U'), OBJECT_ID(N'[dbo].[MatterParty]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[MatterParty] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[MatterParty] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[MatterRate]', N'U'), OBJECT_ID(N'[dbo].[MatterRate]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[MatterRate] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[MatterRate] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[MatterNote]', N'U'), OBJECT_ID(N'[dbo].[MatterNote]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[MatterNote] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[MatterNote] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[WorkItem]', N'U'), OBJECT_ID(N'[dbo].[WorkItem]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[WorkItem] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[WorkItem] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Disbursement]', N'U'), OBJECT_ID(N'[dbo].[Disbursement]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Disbursement] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Disbursement] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Invoice]', N'U'), OBJECT_ID(N'[dbo].[Invoice]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Invoice] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Invoice] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[InvoiceLine]', N'U'), OBJECT_ID(N'[dbo].[InvoiceLine]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[InvoiceLine] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[InvoiceLine] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[BankAccount]', N'U'), OBJECT_ID(N'[dbo].[BankAccount]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[BankAccount] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[BankAccount] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[Receipt]', N'U'), OBJECT_ID(N'[dbo].[Receipt]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[Receipt] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[Receipt] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[ReceiptAllocation]', N'U'), OBJECT_ID(N'[dbo].[ReceiptAllocation]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[ReceiptAllocation] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[ReceiptAllocation] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[CreditNote]', N'U'), OBJECT_ID(N'[dbo].[CreditNote]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[CreditNote] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[CreditNote] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[TrustTransaction]', N'U'), OBJECT_ID(N'[dbo].[TrustTransaction]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[TrustTransaction] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[TrustTransaction] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[LedgerEntry]', N'U'), OBJECT_ID(N'[dbo].[LedgerEntry]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[LedgerEntry] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[LedgerEntry] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[LedgerLine]', N'U'), OBJECT_ID(N'[dbo].[LedgerLine]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[LedgerLine] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[LedgerLine] is not there: nothing was granted on it.';
IF COALESCE(OBJECT_ID(N'[dbo].[OpeningBalance]', N'U'), OBJECT_ID(N'[dbo].[OpeningBalance]', N'V')) IS NOT NULL
    GRANT SELECT ON OBJECT::[dbo].[OpeningBalance] TO [dropline_reader]
ELSE
    PRINT N'[dbo].[OpeningBalance] is not there: nothing was granted on it.';

-- A table by another name, or a view or query that a mapping names, needs a line of its own for each thing it reads:
--     GRANT SELECT ON OBJECT::[dbo].[name] TO [dropline_reader]
--
-- All tables as of one moment, while others go on writing: the database then keeps old versions of changed rows in tempdb.
--     ALTER DATABASE [Practice] SET ALLOW_SNAPSHOT_ISOLATION ON
--
-- To take it all back:
--     DROP USER [dropline_reader]
--     DROP LOGIN [dropline_reader]
