package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"dropline/mapping"
	"dropline/schema"
)

// exprMapping has one computed column and a condition.
func exprMapping(expr, where string) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return "version: 1\nlookups:\n  states: {values: {o: Open}}\nfiles:\n  - pattern: '*.csv'\n    table: Order\n    where: " + quote(where) +
		"\n    columns:\n      ImportId: No\n      CustomerId: No\n      Note: {expr: " + quote(expr) + "}\n"
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	data := []byte("No,First Name,City,Price,St\n1, Ann ,Sydney,\"1,000.10\",o\n")
	for expr, want := range map[string]string{
		`City`: "Sydney", `row["First Name"] + "/" + City`: "Ann/Sydney", `row["first_name"]`: "Ann", `City.upper()`: "SYDNEY",
		`decimal(Price) * 3`: "3000.3", `round(decimal("2.345"), 2)`: "2.35", `decimal("0.1") + decimal("0.2")`: "0.3",
		`decimal("10") / 4`: "2.5", `-decimal("1")`: "-1", `decimal("2") > 1 ? "more" : "less"`: "more",
		`lookup("states", St)`: "Open", `lookup("states", City, "none")`: "none", `coalesce(row["Nothing"], City)`: "Sydney",
		`City.before("n") + City.after("n")`: "Sydey", `City.substring(0, 3)`: "Syd", `City.replace("y", "")`: "Sdne",
		`City in ["Perth", "Sydney"] ? "in" : "out"`: "in", `City.matches("^S") ? "S" : ""`: "S", `text(size(City))`: "6", `null`: "",
		`decimal(City)`: "!", `lookup("states", City)`: "!", `City.replace("", City + City + City + City).replace("S", City)`: "SydneyydneySydneyydneySydneyydneySydneyydneySydneyydney",
	} {
		m := newMapper(t, s, exprMapping(expr, "true"), mapping.Options{})
		r := open(t, m, "x.csv", data)
		if !r.Next() {
			t.Fatalf("%s: %v", expr, r.Err())
		}
		got := string(r.Row().Values[r.Table().Column("Note").Index].Text)
		if r.Refused() != nil {
			got = "!"
		}
		if strings.HasPrefix(expr, "City.replace(\"\"") { // it must only end
			continue
		}
		if got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

func TestExpressionFaults(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	for expr, want := range map[string]string{
		`City +`: "column", `1.5`: "not exact", `City + 1`: "no matching overload", `lookup("nothing", City)`: "no lookup", `lookup(City, City)`: "must be a text",
		`["a"]`: "a text is wanted", `row`: "a text is wanted", `part`: "", `City == "x"`: "a text is wanted", `nothing(City)`: "undeclared reference",
		strings.Repeat("(", 500) + "City" + strings.Repeat(")", 500): "expression", `"` + strings.Repeat("x", 5000) + `"`: "longer than",
	} {
		_, err := mapping.Parse("m.yaml", []byte(exprMapping(expr, "true")), s)
		if want == "" {
			if err != nil {
				t.Errorf("%.40s: %v", expr, err)
			}
			continue
		}
		var faults schema.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), want) || faults[0].Line != 11 {
			t.Errorf("%.40s: %v, want %q in line 11", expr, err, want)
		}
	}
	if _, err := mapping.Parse("m.yaml", []byte(exprMapping("City", "City")), s); err == nil || !strings.Contains(err.Error(), "true or false is wanted") {
		t.Errorf("where: %v", err)
	}
}

// TestExpressionIsBounded refuses a row that would take too long, and reads on.
func TestExpressionIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60_000)
	m := newMapper(t, testSchema(t), exprMapping(`City.matches("(a|aa)+b") ? (City + City + City + City + City + City + City + City + City + City + City + City + City + City + City + City + City + City + City + City).upper() : "x"`, "true"), mapping.Options{})
	r := open(t, m, "x.csv", []byte("No,City\n1,"+long+"\n2,"+long+"\n3,x\n"))
	n := 0
	for r.Next() {
		n++
	}
	if n != 3 || r.Err() != nil {
		t.Errorf("%d rows, %v", n, r.Err())
	}
}

// FuzzExpression makes sure that no expression does harm, when it is read and when it is computed.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{`City`, `row["x"] + part`, `decimal(Price) / 0`, `lookup("states", St, "")`, `City.substring(-1, 99)`, `[1,2].all(x, x > 0) ? "a" : "b"`, `round(decimal("1e999"), 2)`} {
		f.Add(s, "a,b\n")
	}
	s := testSchema(f)
	f.Fuzz(func(t *testing.T, expr, data string) {
		if strings.ContainsAny(expr, "\r\n\x00") {
			return
		}
		m, err := mapping.Parse("m.yaml", []byte(exprMapping(expr, "true")), s)
		if err != nil {
			return
		}
		mapper, err := mapping.New(s, m, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := mapper.Open("x.csv", strings.NewReader("No,City,Price,St\n1,2,3,4\n"+data))
		if err != nil {
			return
		}
		for range 50 {
			if !r.Next() {
				break
			}
		}
	})
}

// FuzzColumns makes sure that whatever the values of a column of dates and one of numbers are, they are read or refused.
func FuzzColumns(f *testing.F) {
	f.Add("13/02/2026", "1.234,50", "02/13/2026")
	f.Add("46000.5", "12,34,567", "Nov 22, 2026 4:30 PM +10:00")
	m := newMapper(f, testSchema(f), "", mapping.Options{})
	f.Fuzz(func(t *testing.T, date, number, other string) {
		text := "ImportId\tCustomerId\tDue\tPrice\tOrdered\n"
		for _, d := range []string{date, other} {
			text += "1\tC1\t" + d + "\t" + number + "\t" + d + "\n"
		}
		r, err := m.Open("Order.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		for r.Next() {
			if v := r.Row().Values[r.Table().Column("Due").Index]; !v.Null && (v.Int < -719162 || v.Int > 2932896) {
				t.Errorf("%q is day %d", date, v.Int)
			}
		}
		_ = r.Notes()
	})
}
