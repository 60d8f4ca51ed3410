package schema_test

import (
	"strings"
	"testing"

	"dropline/schema"

	"github.com/google/go-cmp/cmp"
)

func TestNormalizeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Fee Earner": "feeearner", "fee_earner": "feeearner", " FEE-EARNER: ": "feeearner", "Honoraires (€)": "honoraires",
		"ÉTAT": "état", "Line2": "line2", "": "", "--": "", "\xff": "",
	} {
		if got := schema.NormalizeName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func definition(tables string) string { return "schema: X\nversion: 1\ntables:\n" + tables }

const keyColumn = "{name: ImportId, type: text(100), required: true}"

func TestDerivedNames(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	want := map[string][3]string{
		"WorkItem": {"work_item", "WorkItems", "work_item"}, "Currency": {"currency", "Currencies", "currency"},
		"Day": {"day", "Days", "day"}, "Address": {"address", "Addresses", "address"}, "Box": {"box", "Boxes", "box"},
		"GLEntry": {"gl_entry", "GLEntries", "gl_entry"}, "A1B": {"a1_b", "A1Bs", "a1_b"}, "BankBSB": {"bank_bsb", "BankBSBs", "bank_bsb"},
	}
	for name := range want {
		b.WriteString("  - {name: " + name + ", key: ImportId, columns: [" + keyColumn + "]}\n")
	}
	s := parse(t, definition(b.String()))
	got := map[string][3]string{}
	for _, table := range s.Tables {
		got[table.Name] = [3]string{table.SQLName, table.Plural, table.Prefix}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTableOrder: parents come first, cycles stay together and break where a reference is optional.
func TestTableOrder(t *testing.T) {
	t.Parallel()
	table := func(name string, references ...string) string {
		columns := keyColumn
		for i, reference := range references {
			required := "false"
			if strings.HasSuffix(reference, "!") {
				reference, required = strings.TrimSuffix(reference, "!"), "true"
			}
			columns += ", {name: R" + string(rune('1'+i)) + ", type: reference(" + reference + "), required: " + required + "}"
		}
		return "  - {name: " + name + ", key: ImportId, columns: [" + columns + "]}\n"
	}
	for name, test := range map[string]struct{ tables, want string }{
		"as declared":            {table("A") + table("B") + table("C"), "A B C"},
		"parents first":          {table("A", "B") + table("B", "C") + table("C"), "C B A"},
		"self":                   {table("A", "A") + table("B", "A"), "A B"},
		"cycle":                  {table("A", "B!") + table("B", "A"), "B A"},
		"cycle, required":        {table("A", "B!") + table("B", "A!"), "A B"},
		"child of cycle":         {table("Z", "A") + table("A", "B") + table("B", "A!"), "A B Z"},
		"three":                  {table("A", "B!") + table("B", "C!") + table("C", "A"), "C B A"},
		"cycle between its kin":  {table("Kid", "B!") + table("A", "B", "Gran") + table("B", "A!") + table("Gran"), "Gran A B Kid"},
		"two references to same": {table("A", "B", "B") + table("B"), "B A"},
	} {
		var got []string
		for _, table := range parse(t, definition(test.tables)).Tables {
			got = append(got, table.Name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"matter", "matter", 0},
		{"mater", "matter", 1},
		{"encrpt", "encrypt", 1},
		{"kitten", "sitting", 3},
		{"ab", "ba", 2},
	} {
		if got := schema.EditDistance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
