package schema

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// GrantOptions say for whom and where GrantScript grants. Names are taken as they are, with whatever case and characters.
type GrantOptions struct {
	// Login is the name of the login and of its user; without, DefaultGrantLogin.
	Login string
	// Database is where the tables are; without, the script runs in the database that is current, if that is not a system's.
	Database string
	// SQLSchema is the tables' schema in SQL Server; without, dbo.
	SQLSchema string
	// Azure is for Azure SQL Database, where a user has its password itself and there is no USE.
	Azure bool
}

// DefaultGrantLogin is the login that GrantScript makes unless another is named.
const DefaultGrantLogin = "dropline_reader"

// GrantScript returns the T-SQL that lets a login of its own read the schema's tables in SQL Server 2016 and later, or in
// Azure SQL Database, and nothing else. It has no password: the word <password> in it is a syntax error until somebody writes
// one in its place, so that none is ever left as it came. Run again, it changes nothing. Like WriteTSQL's it is a single batch
// whose only semicolons end its statements. The error says which name cannot be used.
func (s *Schema) GrantScript(o GrantOptions) (string, error) {
	if o.Login == "" {
		o.Login = DefaultGrantLogin
	}
	if o.SQLSchema == "" {
		o.SQLSchema = "dbo"
	}
	if err := o.check(); err != nil {
		return "", err
	}
	g := &grantWriter{tsqlWriter: tsqlWriter{schema: s}, o: o}
	g.intro()
	g.place()
	if o.Azure {
		g.containedUser()
	} else {
		g.login()
		g.user()
	}
	g.grants()
	g.options()
	return g.b.String(), nil
}

// check refuses names that are not for this, and those that a client of SQL Server would take apart.
func (o GrantOptions) check() error {
	for _, name := range []struct{ what, text string }{{"login", o.Login}, {"database", o.Database}, {"SQL schema", o.SQLSchema}} {
		switch {
		case !utf8.ValidString(name.text) || strings.ContainsFunc(name.text, func(r rune) bool { return !unicode.IsPrint(r) }):
			return fmt.Errorf("the name of the %s has characters that cannot be printed", name.what)
		case len(utf16.Encode([]rune(name.text))) > maxMSSQLName:
			return fmt.Errorf("the name of the %s is longer than %d characters", name.what, maxMSSQLName)
		case strings.Contains(name.text, "$("), strings.Contains(name.text, ";"):
			return fmt.Errorf("the name of the %s has a $( or a semicolon, where some clients take a script apart", name.what)
		}
	}
	switch strings.ToLower(o.Login) {
	case "public", "guest":
		return fmt.Errorf("%q stands for everybody: name a login of its own", o.Login)
	case "sa", "dbo", "sys", "information_schema":
		return fmt.Errorf("%q is SQL Server's own: name a login that may do nothing else", o.Login)
	}
	if strings.ContainsAny(o.Login, `\`) {
		return fmt.Errorf("%q is a Windows account, which has no password here: write the script for another login and see its line FROM WINDOWS", o.Login)
	}
	return nil
}

type grantWriter struct {
	tsqlWriter
	o GrantOptions
}

// option is a statement that is commented out. Names have been looked at: they cannot break out.
func (g *grantWriter) option(format string, args ...any) { g.line("--     "+format, args...) }

// nstring is a text as T-SQL has it, of any characters.
func nstring(s string) string { return "N'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (g *grantWriter) intro() {
	what := "SQL Server 2016 and later"
	if g.o.Azure {
		what = "Azure SQL Database"
	}
	g.comment("", "Lets %s read the tables of %s, and nothing else. For %s.", bracket(g.o.Login), g.schema.FileStem(), what)
	g.comment("", "Running it again changes nothing.")
	g.line("--")
	g.comment("", "First write a password in place of <password> below, as N'...' with every ' in it doubled. Until then it is a")
	g.comment("", "syntax error, and nothing runs. Keep no copy of the script with the password in it.")
	if strings.ContainsFunc(g.o.Login+g.o.Database+g.o.SQLSchema, func(r rune) bool { return r > unicode.MaxASCII }) {
		g.comment("", "This file is in UTF-8: sqlcmd needs -f 65001 to read it.")
	}
	g.line("SET NOCOUNT ON;")
	g.line("SET XACT_ABORT ON;")
}

// place sees to it that the script runs in the right database.
func (g *grantWriter) place() {
	g.line("")
	if g.o.Database == "" {
		g.line("IF DB_NAME() IN (N'master', N'model', N'msdb', N'tempdb')")
		g.line("    THROW 50000, N'This is no database with tables of a client. Change to the right one and run this again.', 1;")
		return
	}
	if !g.o.Azure {
		g.line("USE %s;", bracket(g.o.Database))
	}
	g.line("IF DB_NAME() <> %s", nstring(g.o.Database))
	g.line("    THROW 50000, %s, 1;", nstring("This is for the database "+bracket(g.o.Database)+". Change to it and run this again."))
}

func (g *grantWriter) login() {
	name := bracket(g.o.Login)
	g.line("")
	g.comment("", "The login, which may connect to the server.")
	g.line("IF NOT EXISTS (SELECT 1 FROM sys.server_principals WHERE name = %s)", nstring(g.o.Login))
	g.line("    CREATE LOGIN %s WITH PASSWORD = <password>, CHECK_POLICY = ON;", name)
	g.comment("", "For a Windows account in its place: put DOMAIN\\account for the name everywhere, and for the line above")
	g.option("CREATE LOGIN [DOMAIN\\account] FROM WINDOWS")
}

func (g *grantWriter) user() {
	name, text := bracket(g.o.Login), nstring(g.o.Login)
	g.line("")
	g.comment("", "Its user in this database. After a database was restored there may be one without a login.")
	g.line("IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = %s)", text)
	g.line("    CREATE USER %s FOR LOGIN %s", name, name)
	g.line("ELSE IF NOT EXISTS (SELECT 1 FROM sys.database_principals AS u JOIN sys.server_principals AS l ON l.sid = u.sid WHERE u.name = %s AND l.name = %s)", text, text)
	g.line("    PRINT %s;", nstring("The user "+name+" was there before and is not that login's. If it may be: ALTER USER "+name+" WITH LOGIN = "+name))
}

func (g *grantWriter) containedUser() {
	name := bracket(g.o.Login)
	g.line("")
	g.comment("", "The user, which has its password in this database and is known in no other.")
	g.line("IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = %s)", nstring(g.o.Login))
	g.line("    CREATE USER %s WITH PASSWORD = <password>;", name)
	g.comment("", "For an identity of Microsoft Entra in its place: put its name everywhere, and for the line above")
	g.option("CREATE USER [name] FROM EXTERNAL PROVIDER")
}

func (g *grantWriter) grants() {
	to := bracket(g.o.Login)
	g.line("")
	g.comment("", "What it may do. Whoever may SELECT from a table also sees its columns, keys and row count in the catalogue: VIEW")
	g.comment("", "DEFINITION is not needed. The role db_datareader is left out on purpose, as it reads every table of the database.")
	g.line("GRANT CONNECT TO %s;", to)
	for _, table := range g.schema.Tables {
		name := bracket(g.o.SQLSchema) + "." + bracket(table.Name)
		g.line("IF COALESCE(OBJECT_ID(%s, N'U'), OBJECT_ID(%s, N'V')) IS NOT NULL", nstring(name), nstring(name))
		g.line("    GRANT SELECT ON OBJECT::%s TO %s", name, to)
		g.line("ELSE")
		g.line("    PRINT %s;", nstring(name+" is not there: nothing was granted on it."))
	}
}

// options are lines that somebody may want, and that nobody gets unasked.
func (g *grantWriter) options() {
	to := bracket(g.o.Login)
	g.line("")
	g.comment("", "A table by another name, or a view or query that a mapping names, needs a line of its own for each thing it reads:")
	g.option("GRANT SELECT ON OBJECT::%s.[name] TO %s", bracket(g.o.SQLSchema), to)
	if !g.o.Azure {
		database := "CURRENT"
		if g.o.Database != "" {
			database = bracket(g.o.Database)
		}
		g.line("--")
		g.comment("", "All tables as of one moment, while others go on writing: the database then keeps old versions of changed rows in tempdb.")
		g.option("ALTER DATABASE %s SET ALLOW_SNAPSHOT_ISOLATION ON", database)
	}
	g.line("--")
	g.comment("", "To take it all back:")
	g.option("DROP USER %s", to)
	if !g.o.Azure {
		g.option("DROP LOGIN %s", to)
	}
}
