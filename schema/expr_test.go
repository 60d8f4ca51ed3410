package schema_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"dropline/schema"
)

const exprTable = `schema: Shop
version: 1
enums:
  - {name: Colour, values: [{number: 0, name: Red}, {number: 1, name: Green}]}
tables:
  - name: Thing
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: Price, type: "decimal(19,4)"}
      - {name: Count, type: integer}
      - {name: Big, type: bigint}
      - {name: Colour, type: enum(Colour)}
      - {name: Sold, type: boolean}
      - {name: On, type: date}
      - {name: At, type: timestamp}
      - {name: PartOfId, type: reference(Thing)}
      - {name: BoxId, type: reference(Box)}
      - {name: End, type: text(9)}
  - name: Box
    key: ImportId
    columns: [{name: ImportId, type: text(100), required: true}]
`

func exprThing(t testing.TB) *schema.Table {
	t.Helper()
	s, err := schema.Parse("shop.yaml", strings.NewReader(exprTable))
	if err != nil {
		t.Fatal(err)
	}
	return s.Table("Thing")
}

func TestConditions(t *testing.T) {
	t.Parallel()
	thing := exprThing(t)
	for _, test := range []struct{ source, postgres, tsql string }{
		{"Price > 0", `(t."price" > 0)`, `([Price] > 0)`},
		{"Price != 0", `(t."price" <> 0)`, `([Price] <> 0)`},
		{"Price + 1 * 2 > - -3", `((t."price" + (1::numeric * 2::numeric)) > (-(-3::numeric)))`, `(([Price] + (1 * 2)) > (-(-3)))`},
		{"Count * Big >= 0", `((t."count"::numeric * t."big"::numeric) >= 0)`, `(([Count] * [Big]) >= 0)`},
		{"Count / 2 = 1", `((t."count"::numeric / 2::numeric) = 1)`, `((CAST([Count] AS decimal(38, 10)) / 2) = 1)`},
		{"1 / Count = 1", `((1::numeric / nullif(t."count"::numeric, 0)) = 1)`, `((CAST(1 AS decimal(38, 10)) / NULLIF([Count], 0)) = 1)`},
		{"1 / 0.0 = 1", `((1::numeric / nullif(0.0::numeric, 0)) = 1)`, `((CAST(1 AS decimal(38, 10)) / NULLIF(0.0, 0)) = 1)`},
		{"Colour = 'Green'", `(t."colour" = 1)`, `([Colour] = 1)`},
		{"1 = Colour", `(1 = t."colour")`, `(1 = [Colour])`},
		{"Colour not in ('Red', 1)", `(t."colour" not in (0, 1))`, `([Colour] not in (0, 1))`},
		{"coalesce(Colour, 'Red') <> 'Red'", `(coalesce(t."colour", 0) <> 0)`, `(COALESCE([Colour], 0) <> 0)`},
		{"Sold", `t."sold"`, `([Sold] = 1)`},
		{"not Sold", `(not t."sold")`, `(not ([Sold] = 1))`},
		{"Sold = true and TRUE", `((t."sold" = true) and true)`, `(([Sold] = CAST(1 AS bit)) and (CAST(1 AS bit) = 1))`},
		{"coalesce(Sold, false)", `coalesce(t."sold", false)`, `(COALESCE([Sold], CAST(0 AS bit)) = 1)`},
		{"On >= '2025-07-01'", `(t."on" >= date '2025-07-01')`, `([On] >= CONVERT(date, '2025-07-01', 23))`},
		{
			"At < '2025-07-01T10:00:00+10:00'",
			`(t."at" < timestamptz '2025-07-01T00:00:00.000000Z')`, `([At] < CONVERT(datetime2(6), '2025-07-01T00:00:00.000000', 126))`,
		},
		{"PartOfId <> ImportId", `(t."part_of_id" <> t."id")`, `([PartOfId] <> [ImportId])`},
		{"ImportId = 'it''s \\'", `(t."import_id" = E'it''s \\'::text)`, `([ImportId] = N'it''s \')`},
		{`"End" is null`, `(t."end" is null)`, `([End] is null)`},
		{"Price is not null or Sold is null and Sold", `((t."price" is not null) or ((t."sold" is null) and t."sold"))`, `(([Price] is not null) or (([Sold] is null) and ([Sold] = 1)))`},
		{"abs(round(Price, 2)) = Count", `(abs(round(t."price", 2)) = t."count")`, `(ABS(ROUND([Price], 2)) = [Count])`},
		{
			"case when Price > 1 then 'a' when Sold then null else \"End\" end = 'b'",
			`((case when (t."price" > 1) then 'a'::text when t."sold" then null else t."end" end) = 'b'::text)`,
			`((case when ([Price] > 1) then N'a' when ([Sold] = 1) then NULL else [End] end) = N'b')`,
		},
		{
			"Colour = case when Sold then 'Red' else 'Green' end",
			`(t."colour" = (case when t."sold" then 0 else 1 end))`, `([Colour] = (case when ([Sold] = 1) then 0 else 1 end))`,
		},
		{"BoxId = BoxId", `(t."box_id" = t."box_id")`, `([BoxId] = [BoxId])`},
	} {
		e, err := schema.ParseCondition(test.source, thing)
		if err != nil {
			t.Errorf("%s: %v", test.source, err)
			continue
		}
		if got := strings.ReplaceAll(e.Postgres("t"), `"t".`, "t."); got != test.postgres {
			t.Errorf("%s\nwant %s\ngot  %s", test.source, test.postgres, got)
		}
		if got := e.TSQL(); got != test.tsql {
			t.Errorf("%s\nwant %s\ngot  %s", test.source, test.tsql, got)
		}
	}
}

func TestQualifiersAndColumns(t *testing.T) {
	t.Parallel()
	e, err := schema.ParseNumber("Price * Count + Price", exprThing(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Postgres(""), `(("price" * "count"::numeric) + "price")`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := e.Postgres(`a"b`), `(("a""b"."price" * "a""b"."count"::numeric) + "a""b"."price")`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if columns := e.Columns(); len(columns) != 2 || columns[0].Name != "Price" || columns[1].Name != "Count" {
		t.Errorf("columns %v", columns)
	}
}

func TestExprFaults(t *testing.T) {
	t.Parallel()
	thing := exprThing(t)
	for _, test := range []struct {
		source   string
		position int
		reason   string
	}{
		{"", 1, "ends where a value should be"},
		{"é = 1", 1, "has no meaning"},
		{"Price = 'é' ?", 13, "has no meaning"},
		{"Price = 'é", 9, "never closed"},
		{"Price = 1.", 9, "digits after its point"},
		{"Price = 1x", 9, "ends in a letter"},
		{"Price = " + strings.Repeat("1", 39), 9, "at most 38 digits"},
		{"Price", 1, "a number where a condition"},
		{"null", 1, "null where a condition"},
		{"Price = null", 9, "use is null"},
		{"Price = Sold", 9, "a condition where a number"},
		{"Sold < true", 6, "has no order"},
		{"ImportId < 'a'", 10, "has no order"},
		{"Colour = 'Blue'", 10, `Colour has no value "Blue"`},
		{"Colour = 2", 10, "no value with the number 2"},
		{"On = '2025-02-30'", 6, "is no date"},
		{"At = '2025-02-03'", 6, "is no timestamp"},
		{"On = At", 6, "a timestamp where a date"},
		{"BoxId = ImportId", 9, "a text where a reference to Box"},
		{"BoxId = PartOfId", 9, "a reference to Thing where a reference to Box"},
		{"(Price > 1) = (Count > 1)", 8, "a comparison cannot be used as a value"},
		{"case when Sold then Price > 1 else Sold end", 27, "a comparison cannot be used as a value"},
		{"coalesce(null, null) = 1", 1, "is always null"},
		{"coalesce(Price) = 1", 1, "needs two arguments"},
		{"abs(Price, 1) = 1", 1, "needs one argument"},
		{"round(Price, Count) = 1", 14, "number of digits"},
		{"round(Price, 9) = 1", 14, "number of digits"},
		{"Price = 1 2", 11, `"2" where the end should be`},
		{"Price not 1", 11, "where in should be"},
		{"Price in ()", 11, "where a value should be"},
		{"case Price when 1 then 2 end = 1", 6, "where when should be"},
		{"lower(ImportId) = 'a'", 6, "where the end should be"},
		{"Price = 1; drop table x", 10, "has no meaning"},
		{strings.Repeat("(", 200) + "1", 101, "nested more than 100"},
		{strings.Repeat("not ", 200) + "Sold", 397, "nested more than 100"},
		{"1" + strings.Repeat("+1", 200) + " = 1", 200, "nested more than 100"},
		{strings.Repeat(" ", 5000), 1, "at most 4000 bytes"},
	} {
		_, err := schema.ParseCondition(test.source, thing)
		var fault *schema.ExprError
		if !errors.As(err, &fault) {
			t.Errorf("%.60s: accepted", test.source)
			continue
		}
		if fault.Position != test.position || !strings.Contains(fault.Reason, test.reason) {
			t.Errorf("%.60s\nwant %d: %s\ngot  %d: %s", test.source, test.position, test.reason, fault.Position, fault.Reason)
		}
	}
}

// FuzzExpr: whatever is accepted renders to SQL of bounded size whose quotes and parentheses close, and in which no comment
// begins; whatever is refused says where.
func FuzzExpr(f *testing.F) {
	for _, seed := range []string{
		"Price > 0", "Colour in ('Red')", "case when Sold then 1 else 2 end", "coalesce(On, '2025-01-01') is null",
		"- -Price / 2 = round(abs(1.5), 2)", `"End" = 'it''s \'`, "not (PartOfId <> ImportId)",
	} {
		f.Add(seed)
	}
	thing := exprThing(f)
	f.Fuzz(func(t *testing.T, source string) {
		for _, parse := range []func(string, *schema.Table) (*schema.Expr, error){schema.ParseCondition, schema.ParseNumber} {
			e, err := parse(source, thing)
			if err != nil {
				var fault *schema.ExprError
				if !errors.As(err, &fault) || fault.Position < 1 || fault.Position > utf8.RuneCountInString(source)+1 {
					t.Fatalf("%q: %v", source, err)
				}
				continue
			}
			for _, sql := range []string{e.Postgres("t"), e.TSQL()} {
				sound(t, source, sql)
			}
		}
	})
}

func sound(t *testing.T, source, sql string) {
	t.Helper()
	depth, quote := 0, byte(0)
	escapes := false
	for i := 0; i < len(sql); i++ {
		c := sql[i]
		switch {
		case quote != 0 && c == '\\' && escapes:
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote, escapes = c, i > 0 && sql[i-1] == 'E'
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ';' || c == '-' && strings.HasPrefix(sql[i:], "--") || strings.HasPrefix(sql[i:], "/*"):
			t.Fatalf("%q renders to %s", source, sql)
		}
	}
	if depth != 0 || quote != 0 || len(sql) > 30*len(source)+100 {
		t.Fatalf("%q renders to %s", source, sql)
	}
}
