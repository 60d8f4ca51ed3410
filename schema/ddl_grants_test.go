package schema_test

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"dropline/schema"
)

// A name in brackets, or in a text, as a server reads it: what would end it is doubled.
const (
	inBrackets = `\[(?:[^\]\n]|\]\])+\]`
	inQuotes   = `N'(?:[^'\n]|'')*'`
)

// grantForms are the only lines of code that the script may have, in this order: see tsqlForms.
var grantForms = regexp.MustCompile(strings.NewReplacer("@name", inBrackets, "@text", inQuotes).Replace(
	`^SET NOCOUNT ON;
SET XACT_ABORT ON;
(?:(?:USE @name;
)?IF DB_NAME\(\) <> @text
|IF DB_NAME\(\) IN \(N'master', N'model', N'msdb', N'tempdb'\)
)    THROW 50000, @text, 1;
(?:IF NOT EXISTS \(SELECT 1 FROM sys\.server_principals WHERE name = @text\)
    CREATE LOGIN @name WITH PASSWORD = <password>, CHECK_POLICY = ON;
IF NOT EXISTS \(SELECT 1 FROM sys\.database_principals WHERE name = @text\)
    CREATE USER @name FOR LOGIN @name
ELSE IF NOT EXISTS \(SELECT 1 FROM sys\.database_principals AS u JOIN sys\.server_principals AS l ON l\.sid = u\.sid WHERE u\.name = @text AND l\.name = @text\)
    PRINT @text;
|IF NOT EXISTS \(SELECT 1 FROM sys\.database_principals WHERE name = @text\)
    CREATE USER @name WITH PASSWORD = <password>;
)GRANT CONNECT TO @name;
(?:IF COALESCE\(OBJECT_ID\(@text, N'U'\), OBJECT_ID\(@text, N'V'\)\) IS NOT NULL
    GRANT SELECT ON OBJECT::@name\.@name TO @name
ELSE
    PRINT @text;
)+$`))

// codeOf leaves out what a server does not read.
func codeOf(script string) string {
	var code strings.Builder
	for line := range strings.SplitSeq(script, "\n") {
		if line != "" && !strings.HasPrefix(line, "--") {
			code.WriteString(line + "\n")
		}
	}
	return code.String()
}

func grants(t *testing.T, o schema.GrantOptions) string {
	t.Helper()
	script, err := schema.Efimis10().GrantScript(o)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// grantGolden are the scripts that people can read in a review.
func grantGolden(o schema.GrantOptions) func(io.Writer) error {
	return func(w io.Writer) error {
		script, err := schema.Efimis10().GrantScript(o)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, script)
		return err
	}
}

func TestGrantsAreThoseReadThrough(t *testing.T) {
	t.Parallel()
	hostile := `a] DROP TABLE x--' GO [b]] 'c' --`
	for _, azure := range []bool{false, true} {
		for _, o := range []schema.GrantOptions{
			{},
			{Database: "Efimis"},
			{Login: "reader", SQLSchema: "etl", Database: "Practice Management"},
			{Login: hostile, SQLSchema: hostile, Database: hostile},
			{Login: strings.Repeat("]", 128), Database: strings.Repeat("'", 128)},
			{Login: "<password>", Database: "Kanzlei Müller", SQLSchema: "--"},
		} {
			o.Azure = azure
			script := grants(t, o)
			code := codeOf(script)
			if !grantForms.MatchString(code) {
				t.Errorf("%+v: not what has been read through:\n%s", o, code)
			}
			if got, want := strings.Count(code, "    GRANT SELECT ON OBJECT::"), len(schema.Efimis10().Tables); got != want {
				t.Errorf("%+v: %d tables of %d", o, got, want)
			}
			for line := range strings.SplitSeq(script, "\n") {
				if trimmed := strings.TrimSpace(line); strings.EqualFold(trimmed, "GO") || strings.HasPrefix(trimmed, ":") || strings.Contains(line, "$(") {
					t.Errorf("a client would take this for its own: %q", line)
				}
				if strings.HasPrefix(line, "--") && strings.Contains(line, ";") {
					t.Errorf("a client may cut here: %q", line)
				}
			}
		}
	}
}

// TestGrantsNameWhatWasAskedFor: what a server reads out of the quoted names is what was given.
func TestGrantsNameWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	o := schema.GrantOptions{Login: "l]o'g", Database: "d]a'b", SQLSchema: "s]c'h"}
	code := codeOf(grants(t, o))
	unbracket := func(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "]]", "]") }
	unquote := func(s string) string { return strings.ReplaceAll(s[2:len(s)-1], "''", "'") }
	name := func(before string) string {
		t.Helper()
		m := regexp.MustCompile(before + `(` + inBrackets + `)`).FindStringSubmatch(code)
		if m == nil {
			t.Fatalf("nothing after %s", before)
		}
		return unbracket(m[1])
	}
	for before, want := range map[string]string{
		"USE ": o.Database, "CREATE LOGIN ": o.Login, "CREATE USER ": o.Login, "FOR LOGIN ": o.Login, "GRANT CONNECT TO ": o.Login,
		"OBJECT::": o.SQLSchema, `OBJECT::\S+\.\[Matter\] TO `: o.Login,
	} {
		if got := name(before); got != want {
			t.Errorf("%s%q in place of %q", before, got, want)
		}
	}
	for before, want := range map[string]string{
		`DB_NAME\(\) <> `: o.Database, `server_principals WHERE name = `: o.Login, `database_principals WHERE name = `: o.Login,
		`u\.name = `: o.Login, `l\.name = `: o.Login, `COALESCE\(OBJECT_ID\(`: "[s]]c'h].[" + schema.Efimis10().Tables[0].Name + "]",
	} {
		m := regexp.MustCompile(before + `(` + inQuotes + `)`).FindStringSubmatch(code)
		if m == nil {
			t.Fatalf("nothing after %s", before)
		}
		if got := unquote(m[1]); got != want {
			t.Errorf("%s%q in place of %q", before, got, want)
		}
	}
}

// TestGrantsLeaveNoPassword: as it comes, the script cannot run, and there is one place to fill in.
func TestGrantsLeaveNoPassword(t *testing.T) {
	t.Parallel()
	for _, azure := range []bool{false, true} {
		code := codeOf(grants(t, schema.GrantOptions{Azure: azure}))
		if strings.Count(code, "<password>") != 1 || strings.Count(code, "PASSWORD = <password>") != 1 {
			t.Errorf("azure %t: not one place for a password that is no T-SQL", azure)
		}
		for _, much := range []string{"ROLE", "DENY", "INSERT", "UPDATE", "DELETE", "EXECUTE", "CONTROL", "ALTER ANY", "VIEW ", "WITH GRANT"} {
			if strings.Contains(code, much) {
				t.Errorf("azure %t: has %s", azure, much)
			}
		}
	}
}

func TestGrantsRefuseNames(t *testing.T) {
	t.Parallel()
	for _, o := range []schema.GrantOptions{
		{Login: "public"},
		{Login: "Guest"},
		{Login: "SA"},
		{Login: "dbo"},
		{Login: `CORP\reader`},
		{Login: "a\nGO\nDROP TABLE x"},
		{Login: "a\x00"},
		{Login: "a\u2028b"},
		{Login: "a\xff"},
		{Login: "$(reader)"},
		{Login: "a;b"},
		{Login: strings.Repeat("x", 129)},
		{Login: strings.Repeat("😀", 65)},
		{Database: "a\rb"},
		{Database: "$(db)"},
		{SQLSchema: "a\tb"},
		{SQLSchema: strings.Repeat("x", 129)},
	} {
		if script, err := schema.Efimis10().GrantScript(o); err == nil || script != "" {
			t.Errorf("%+v was taken", o)
		}
	}
}
