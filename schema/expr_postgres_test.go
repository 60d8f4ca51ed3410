package schema_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"dropline/internal/devstack/devtest"
	"dropline/schema"
)

// exprMaker writes expressions at random, of each type, and values for the columns of exprTable's Thing.
type exprMaker struct{ *rand.Rand }

func (m exprMaker) of(choices ...string) string { return choices[m.IntN(len(choices))] }

func (m exprMaker) number(depth int) string {
	if depth == 0 || m.IntN(4) == 0 {
		return m.of("Price", "Price", "Count", "Big", "0", "1", "2", "0.5", "100", "0.0001", "3.00", "12345678901234567890", "7")
	}
	a, b := m.number(depth-1), m.number(depth-1)
	switch m.IntN(9) {
	case 0, 1, 2, 3:
		return fmt.Sprintf("(%s %s %s)", a, m.of("+", "-", "*", "/"), b)
	case 4:
		return "-" + a
	case 5:
		return "abs(" + a + ")"
	case 6:
		return fmt.Sprintf("round(%s, %d)", a, m.IntN(6))
	case 7:
		return fmt.Sprintf("coalesce(%s, %s)", a, b)
	}
	if m.IntN(3) == 0 {
		return fmt.Sprintf("case when %s then %s end", m.condition(depth-1), a)
	}
	return fmt.Sprintf("case when %s then %s when %s then null else %s end", m.condition(depth-1), a, m.condition(0), b)
}

func (m exprMaker) condition(depth int) string {
	if depth == 0 {
		return m.of("Sold", "true", "false", "Price is null", "Colour = 'Red'", "On is not null", "Count > 0", `"End" = 'b'`, "At is null")
	}
	switch m.IntN(13) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", m.condition(depth-1), m.of("and", "or"), m.condition(depth-1))
	case 2:
		return "not (" + m.condition(depth-1) + ")"
	case 3, 4, 5:
		return fmt.Sprintf("%s %s %s", m.number(depth-1), m.of("=", "<>", "<", "<=", ">", ">="), m.number(depth-1))
	case 6:
		return m.number(depth-1) + m.of(" is null", " is not null")
	case 7:
		return fmt.Sprintf("%s %sin (%s, %s)", m.number(depth-1), m.of("", "not "), m.number(depth-1), m.number(0))
	case 8:
		return fmt.Sprintf("coalesce(On, %s) %s %s", m.of("'2025-02-28'", "'1969-12-31'", "'0001-01-01'"), m.of("=", "<", ">="), m.of("On", "'1970-01-01'"))
	case 9:
		return fmt.Sprintf("At %s %s", m.of("=", "<", ">="), m.of("'2025-07-01T10:00:00+10:00'", "coalesce(At, '1960-01-01T00:00:00.5Z')"))
	case 10:
		return fmt.Sprintf("%s = %s", m.of("Colour", "coalesce(Colour, 'Red')", "case when Sold then 'Green' else Colour end"), m.of("0", "'Green'", "Colour"))
	case 11:
		return m.of("PartOfId <> ImportId", "PartOfId = ImportId", "ImportId in (PartOfId)", "BoxId = BoxId", "coalesce(Sold, false)", "Sold = true",
			"case when Sold then Sold else false end", "coalesce(PartOfId, ImportId) = ImportId")
	}
	return fmt.Sprintf("%s %s %s", m.of(`"End"`, "ImportId", `coalesce("End", 'x')`), m.of("=", "<>"), m.of("'b'", "'ä'", "'x'", "ImportId", `"End"`))
}

// row is a row's values as a mapping would give them.
func (m exprMaker) row(t *schema.Table, number int) []schema.Cell {
	row := make([]schema.Cell, len(t.Columns))
	for _, c := range t.Columns {
		v := &row[c.Index]
		if c != t.Key && m.IntN(4) == 0 {
			v.Null = true
			continue
		}
		switch c.Name {
		case "ImportId":
			v.Text = []byte(strconv.Itoa(number))
		case "Price":
			v.Text = []byte(m.of("0", "1", "-1", "0.5", "3", "0.0001", "123456789012345.6789", "-2.5", "2.55", "100", "7"))
		case "Count":
			v.Int = int64(m.IntN(5)) - 2
		case "Big":
			v.Int = []int64{0, 1, 2, 9223372036854775807, -9223372036854775808, 100, 10000, 9999}[m.IntN(8)]
		case "Colour", "Sold":
			v.Int = int64(m.IntN(2))
		case "On":
			v.Int = []int64{0, -1, 20147, 20270, -719162}[m.IntN(5)]
		case "At":
			v.Int = []int64{0, -1, 1751328000000000, 1751328000000001}[m.IntN(4)]
		case "PartOfId":
			v.Text = []byte(strconv.Itoa(m.IntN(5)))
		case "BoxId":
			v.Text = []byte(m.of("1", "2"))
		case "End":
			v.Text = []byte(m.of("a", "b", "ä", "x", "1"))
		}
	}
	return row
}

// literal writes a value in SQL.
func literalOf(c *schema.Column, v *schema.Cell) string {
	if v.Null {
		return "null"
	}
	switch c.Kind {
	case schema.Decimal:
		return string(v.Text)
	case schema.Boolean:
		return strconv.FormatBool(v.Int != 0)
	case schema.Date:
		return fmt.Sprintf("date '1970-01-01' + %d", v.Int)
	case schema.Timestamp:
		return fmt.Sprintf("timestamptz '1970-01-01Z' + interval '1 microsecond' * %d", v.Int)
	case schema.Reference:
		return "'" + schema.ObjectID("acme", c.References.Prefix, string(v.Text)) + "'"
	case schema.Text:
		return "'" + string(v.Text) + "'"
	default:
		return strconv.FormatInt(v.Int, 10)
	}
}

// TestEvaluateAgainstPostgres evaluates expressions made up at random, on rows likewise, here and in PostgreSQL.
func TestEvaluateAgainstPostgres(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, devtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	thing, m := exprThing(t), exprMaker{rand.New(rand.NewPCG(7, 11))}
	if _, err := conn.Exec(ctx, `create table thing (n int, id text, import_id text, price numeric(19,4), count int, big bigint, colour smallint,
		sold boolean, "on" date, at timestamptz, part_of_id text, box_id text, "end" text)`); err != nil {
		t.Fatal(err)
	}
	rows := make([][]schema.Cell, 60)
	for n := range rows {
		rows[n] = m.row(thing, n)
		values := []string{strconv.Itoa(n), "'" + schema.ObjectID("acme", thing.Prefix, strconv.Itoa(n)) + "'"}
		for _, c := range thing.Columns {
			values = append(values, literalOf(c, &rows[n][c.Index]))
		}
		if _, err := conn.Exec(ctx, "insert into thing values ("+strings.Join(values, ", ")+")"); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for range 1500 {
		parse, source := schema.ParseCondition, m.condition(1+m.IntN(3))
		isNumber := m.IntN(2) == 0
		if isNumber {
			parse, source = schema.ParseNumber, m.number(1+m.IntN(3))
		}
		e, err := parse(source, thing)
		if err != nil {
			continue // a choice between nulls, say
		}
		want, err := conn.Query(ctx, "select n, coalesce(("+e.Postgres("t")+")::text, 'null') from thing t")
		if err != nil {
			t.Fatal(err)
		}
		for want.Next() {
			var n int
			var theirs string
			if err := want.Scan(&n, &theirs); err != nil {
				t.Fatal(err)
			}
			ours := evaluated(e, isNumber, func(c *schema.Column) schema.Cell { return rows[n][c.Index] })
			if ours != theirs {
				t.Errorf("%s\nis %s here and %s in PostgreSQL, of row %d", source, ours, theirs, n)
			}
			seen[ours]++
		}
		if want.Err() != nil {
			t.Fatalf("%s: %v", e.Postgres("t"), want.Err())
		}
	}
	if seen["true"] < 1000 || seen["false"] < 1000 || seen["null"] < 1000 || len(seen) < 1000 {
		t.Errorf("%d true, %d false, %d null, %d results: the test shows little", seen["true"], seen["false"], seen["null"], len(seen))
	}
}

func evaluated(e *schema.Expr, isNumber bool, row schema.RowOf) string {
	if isNumber {
		if n, ok := e.Number(row); ok {
			return n.String()
		}
		return "null"
	}
	return [...]string{"null", "false", "true"}[e.Condition(row)]
}
