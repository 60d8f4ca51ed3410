package schema_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dropline/schema"
)

// tsqlForms are the only lines of code that the script may have. No server is at hand in the tests: what is not one of
// these has not been read through by anybody.
var tsqlForms = map[string]*regexp.Regexp{
	"set":    regexp.MustCompile(`^SET NOCOUNT ON;$`),
	"if":     regexp.MustCompile(`^IF OBJECT_ID\(N'\[dbo\]\.\[(\w+)\]'\) IS NULL$`),
	"create": regexp.MustCompile(`^    CREATE TABLE \[dbo\]\.\[(\w+)\] \($`),
	"column": regexp.MustCompile(`^        \[(\w+)\] (int|bigint|bit|date|smallint|datetime2\(6\)|decimal\((\d+), (\d+)\)|nvarchar\((\d+|max)\)) (NOT NULL|NULL),$`),
	"check":  regexp.MustCompile(`^        CONSTRAINT \[(\w+)\] CHECK \(\[\w+\] BETWEEN 0 AND \d+\),$`),
	"key":    regexp.MustCompile(`^        CONSTRAINT \[(\w+)\] PRIMARY KEY \(\[\w+\]\)$`),
	"end":    regexp.MustCompile(`^    \)$`),
	"else":   regexp.MustCompile(`^ELSE IF \(SELECT COUNT\(\*\) FROM sys\.columns WHERE object_id = OBJECT_ID\(N'\[dbo\]\.\[(\w+)\]'\) AND name IN \($`),
	"names":  regexp.MustCompile(`^        N'\w+'(, N'\w+')*$`),
	"count":  regexp.MustCompile(`^    \)\) < \d+$`),
	"print":  regexp.MustCompile(`^    PRINT N'\[dbo\]\.\[(\w+)\] was there before and was left as it is, but it lacks columns of [\w.-]+\.';$`),
}

// tsqlStatement is the order of a table's lines; of columns and checks there are several.
const tsqlStatement = `if create (column )+(check )*key end else names count print `

// tsqlTable is one statement of the script as a server would see it.
type tsqlTable struct {
	name        string
	columns     []string
	constraints []string
	rowBytes    int // at least, with every long text moved out of the row
}

// readTSQL reads a script back, and fails the test at the first line that is of no known form.
func readTSQL(t *testing.T, script string) []tsqlTable {
	t.Helper()
	pieces := strings.Split(script, ";") // as a client does that sends one statement at a time
	if last := strings.TrimSpace(pieces[len(pieces)-1]); last != "" {
		t.Errorf("after the last statement: %q", last)
	}
	order := regexp.MustCompile("^" + tsqlStatement + "$")
	var tables []tsqlTable
	for i, piece := range pieces[:len(pieces)-1] {
		var table tsqlTable
		var kinds strings.Builder
		for line := range strings.SplitSeq(piece+";", "\n") {
			code := strings.TrimSpace(line)
			if code == "" || strings.HasPrefix(code, "-- ") || code == "--" {
				continue
			}
			kinds.WriteString(table.line(t, line) + " ")
		}
		switch {
		case i == 0 && kinds.String() == "set ":
		case i > 0 && order.MatchString(kinds.String()):
			tables = append(tables, table)
		default:
			t.Errorf("statement %d is no whole one: %s", i+1, kinds.String())
		}
	}
	return tables
}

// line takes a line of code in and says which form it has.
func (table *tsqlTable) line(t *testing.T, line string) string {
	t.Helper()
	for kind, form := range tsqlForms {
		m := form.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		switch kind {
		case "if":
			table.name = m[1]
		case "create", "else", "print":
			if m[1] != table.name {
				t.Errorf("a statement about %s speaks of %s", table.name, m[1])
			}
		case "check", "key":
			table.constraints = append(table.constraints, m[1])
		case "column":
			table.columns = append(table.columns, m[1])
			table.rowBytes += columnBytes(t, m)
		}
		return kind
	}
	t.Fatalf("not a line that has been read through: %q", line)
	return ""
}

// columnBytes is what a column takes in its row at least: a long text goes elsewhere and leaves a pointer.
func columnBytes(t *testing.T, m []string) int {
	t.Helper()
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // "max" and "" are 0
	switch {
	case m[3] != "":
		precision, scale := number(m[3]), number(m[4])
		if precision < 1 || precision > 38 || scale > precision {
			t.Errorf("%s is not for SQL Server: %s", m[1], m[2])
		}
		return 17
	case m[5] != "":
		if m[5] != "max" && (number(m[5]) < 1 || number(m[5]) > 4000) {
			t.Errorf("%s is not for SQL Server: %s", m[1], m[2])
		}
		return 2 + 24
	default:
		return 8
	}
}

// scripts are those of the embedded definition and of one that is as wide and has names as long as may be.
func scripts(t *testing.T) map[*schema.Schema]string {
	t.Helper()
	efimis := schema.Efimis10()
	widest := parse(t, widestDefinition())
	return map[*schema.Schema]string{efimis: written(t, efimis.WriteTSQL), widest: written(t, widest.WriteTSQL)}
}

func widestDefinition() string {
	long := func(stem string) string { return stem + strings.Repeat("x", 60-len(stem)) }
	var b strings.Builder
	fmt.Fprintf(&b, "schema: %s\nversion: \"1.0\"\nenums: [{name: E, values: [{number: 0, name: A}]}]\ntables:\n", long("S"))
	for i := range 2 {
		fmt.Fprintf(&b, "  - name: %s\n    sql: t%d\n    key: Key\n    description: One; and $(two)\n    columns:\n", long(fmt.Sprintf("T%d", i)), i)
		b.WriteString("      - {name: Key, type: text(400), required: true}\n")
		for j := range 249 {
			kind := []string{"text(4000)", "text", "enum(E)", `"list(E,4000)"`, `"decimal(38,0)"`, "timestamp"}[j%6]
			fmt.Fprintf(&b, "      - {name: %s, sql: c%d, type: %s}\n", long(fmt.Sprintf("C%d", j)), j, kind)
		}
	}
	return b.String()
}

// TestTSQLIsForSQLServer holds the script to what SQL Server 2016 takes, with no server at hand.
func TestTSQLIsForSQLServer(t *testing.T) {
	t.Parallel()
	for s, script := range scripts(t) {
		tables := readTSQL(t, script)
		if len(tables) != len(s.Tables) {
			t.Fatalf("%s: %d tables of %d", s.ID(), len(tables), len(s.Tables))
		}
		constraints := map[string]bool{}
		for i, table := range tables {
			if table.name != s.Tables[i].Name || len(table.columns) != len(s.Tables[i].Columns) {
				t.Errorf("%s: %s with %d columns in place of %s", s.ID(), table.name, len(table.columns), s.Tables[i].Name)
			}
			if table.rowBytes > 8060 {
				t.Errorf("%s: a row of %s takes %d bytes", s.ID(), table.name, table.rowBytes)
			}
			if 2*s.Tables[i].Key.Length > 900 {
				t.Errorf("%s: the key of %s is too long for a clustered index", s.ID(), table.name)
			}
			for _, name := range table.constraints {
				if len(name) > 128 || constraints[strings.ToLower(name)] {
					t.Errorf("%s: constraint %s is there twice or longer than 128", s.ID(), name)
				}
				constraints[strings.ToLower(name)] = true
			}
		}
	}
}

// TestTSQLStandsInAnyDatabase: no other table's constraint is in its way, and no client stumbles over its text.
func TestTSQLStandsInAnyDatabase(t *testing.T) {
	t.Parallel()
	text := written(t, schema.Efimis10().WriteTSQL)
	for _, table := range readTSQL(t, text) {
		for _, name := range table.constraints {
			if !strings.Contains(name, "_Efimis_"+table.name) {
				t.Errorf("constraint %s could be another table's", name)
			}
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case strings.EqualFold(trimmed, "GO"):
			t.Error("has a GO, which a server does not know")
		case strings.HasPrefix(trimmed, ":"), strings.HasPrefix(trimmed, "!!"), strings.Contains(line, "$("):
			t.Errorf("sqlcmd would take this for its own: %q", line)
		}
	}
	for _, c := range []byte(text) {
		if c > '~' || c < ' ' && c != '\n' {
			t.Fatalf("byte %#x: not every client reads a file as UTF-8", c)
		}
	}
}
