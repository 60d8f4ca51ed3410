package schema_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"dropline/schema"

	"github.com/google/go-cmp/cmp"
)

// minimal is a small sound definition that tests spoil.
const minimal = `schema: Shop
version: "2.1"
enums:
  - name: Colour
    values:
      - {number: 0, name: Red}
      - {number: 1, name: Green}
tables:
  - name: Thing
    description: A thing
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: Colour, type: enum(Colour)}
      - {name: Price, type: "decimal(19,4)", example: "1.50"}
      - {name: PartOfId, type: reference(Thing)}
    checks:
      - name: thing_price
        severity: error
        message: Too cheap.
        column: Price
        holds: Price > 0
    seeds:
      columns: [ImportId, Colour]
      rows:
        - [A, Red]
`

func parse(t *testing.T, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse("shop.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	t.Parallel()
	s := parse(t, minimal)
	if s.ID() != "shop-2.1" || s.FileStem() != "Shop-2.1" {
		t.Errorf("ID %q, stem %q", s.ID(), s.FileStem())
	}
	thing := s.Table("Thing")
	if thing.Key != thing.Columns[0] || thing.SQLName != "thing" || thing.Prefix != "thing" || thing.Plural != "Things" {
		t.Errorf("table: %+v", thing)
	}
	part := thing.Column("PartOfId")
	if part.References != thing || part.Length != 100 || part.SQLName != "part_of_id" || part.Index != 3 {
		t.Errorf("reference: %+v", part)
	}
	if got := *thing.Seeds[0][1]; got != "Red" || thing.Seeds[0][2] != nil {
		t.Errorf("seed: %q", got)
	}
}

// TestFaults spoils the minimal definition one way at a time: each is refused with file, line and reason.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, want string }{
		"unknown key":          {"    key: ImportId", "    kee: ImportId", "shop.yaml:11: unknown key \"kee\""},
		"key twice":            {"    key: ImportId", "    key: ImportId\n    key: ImportId", "\"key\" is given twice"},
		"no key":               {"    key: ImportId\n", "", "table Thing has no key"},
		"key unknown":          {"key: ImportId", "key: Nothing", "shop.yaml:11: table Thing has no column \"Nothing\""},
		"key optional":         {"text(100), required: true", "text(100)", "the key ImportId of table Thing must be required"},
		"key too long":         {"text(100)", "text(1000)", "text(n) with n at most 400"},
		"table name":           {"name: Thing", "name: thing", "shop.yaml:9: a table needs a name in PascalCase"},
		"table twice":          {"    seeds:", "  - name: Thing\n    key: ImportId\n    seeds:", "table Thing is declared twice, first in line 9"},
		"table and enum":       {"name: Thing\n", "name: Colour\n", "Colour is both a table and an enumeration"},
		"table SQL too long":   {"    key:", "    sql: " + strings.Repeat("a", 41) + "\n    key:", "at most 40 bytes"},
		"prefix":               {"    key:", "    prefix: A-B\n    key:", "shop.yaml:11: table Thing: the prefix \"A-B\""},
		"column twice":         {"name: Price", "name: Colour", "shop.yaml:15: column Colour of table Thing is declared twice"},
		"column meets header":  {"name: Price,", "name: Price, aliases: [colour],", "would both match the header \"colour\""},
		"column meets SQL":     {"name: Price,", "name: Price, sql: colour,", "have the same SQL name colour"},
		"column name":          {"name: Price", "name: my price", "a column needs a name in PascalCase or camelCase, not \"my price\""},
		"system column":        {"name: Price", "name: Id", "the SQL name \"id\" is the system's own"},
		"system prefix":        {"name: Price,", "name: Price, sql: _line,", "the SQL name \"_line\" is the system's own"},
		"ctid":                 {"name: Price", "name: Ctid", "the system's own"},
		"kind":                 {"enum(Colour)", "color", "shop.yaml:14: column Colour of table Thing: unknown type \"color\""},
		"kind with arguments":  {"enum(Colour)", "date(3)", "unknown type \"date(3)\""},
		"precision":            {"decimal(19,4)", "decimal(39,4)", "the precision 39 is not between 1 and 38"},
		"scale":                {"decimal(19,4)", "decimal(3,4)", "the scale 4 is not between 0 and 3"},
		"length":               {"text(100)", "text(0)", "the length 0 is not between 1 and 4000"},
		"unknown enum":         {"enum(Colour)", "enum(Shade)", "there is no enumeration Shade"},
		"unknown table":        {"reference(Thing)", "reference(Box)", "refers to table Box, which does not exist"},
		"enum gap":             {"number: 1", "number: 2", "shop.yaml:7: value \"Green\" of Colour must have the number 1"},
		"enum duplicate":       {"number: 1", "number: 0", "must have the number 1"},
		"enum name twice":      {"name: Green", "name: RED", "shop.yaml:7: a value of Colour needs a name in PascalCase|value RED of Colour is declared twice"},
		"enum twice":           {"tables:", "  - {name: Colour, values: [{number: 0, name: A}]}\ntables:", "enumeration Colour is declared twice, first in line 4"},
		"enum empty":           {"tables:", "  - {name: Empty}\ntables:", "enumeration Empty has no values"},
		"check syntax":         {"Price > 0", "Price >", "shop.yaml:22: check thing_price: at character 8: the expression ends where a value should be"},
		"check column":         {"Price > 0", "0 < Prize", "at character 5: table Thing has no column Prize"},
		"check type":           {"Price > 0", "Price > 'a'", "a text where a number should be"},
		"check not condition":  {"Price > 0", "Price + 1", "at character 7: a number where a condition should be"},
		"check severity":       {"severity: error", "severity: fatal", "severity must be error or warning, not \"fatal\""},
		"check message":        {"        message: Too cheap.\n", "", "check thing_price needs a message"},
		"check attributed":     {"column: Price\n", "column: Prize\n", "check thing_price: table Thing has no column Prize"},
		"check name":           {"name: thing_price", "name: ThingPrice", "needs a name in snake_case"},
		"check of two kinds":   {"holds: Price > 0", "holds: Price > 0\n        of: Thing", "shop.yaml:23: check thing_price: of does not go with holds"},
		"check of no kind":     {"        holds: Price > 0\n", "", "needs one of holds, sum and running"},
		"sum by":               {"holds: Price > 0", "sum: Price\n        of: Thing\n        by: Colour\n        is: '='\n        to: Price", "shop.yaml:24: check thing_price: by must be a column of Thing that refers to Thing, not \"Colour\""},
		"sum of nothing":       {"holds: Price > 0", "sum: Price\n        of: Box\n        by: PartOfId\n        is: '='\n        to: Price", "there is no table \"Box\" to sum"},
		"sum operator":         {"holds: Price > 0", "sum: Price\n        of: Thing\n        by: PartOfId\n        is: '<'\n        to: Price", "is must be \"=\", \"<=\" or \">=\", not \"<\""},
		"sum of a text":        {"holds: Price > 0", "sum: ImportId\n        of: Thing\n        by: PartOfId\n        is: '='\n        to: Price", "a text where a number should be"},
		"sum to nothing":       {"holds: Price > 0", "sum: Price\n        of: Thing\n        by: PartOfId\n        is: '='", "needs what the sum is compared with"},
		"running order":        {"holds: Price > 0", "running: Price\n        by: Colour", "a running sum needs an order"},
		"running by":           {"holds: Price > 0", "running: Price\n        by: ImportId\n        order: [Price]", "by must be a column of Thing by which rows belong together"},
		"check twice":          {"    seeds:", "      - {name: thing_price, severity: error, message: x, holds: Price > 1}\n    seeds:", "shop.yaml:23: check thing_price is declared twice, first in line 18"},
		"seed value":           {"[A, Red]", "[A, Blue]", "shop.yaml:26: a seed of table Thing: Colour: \"Blue\" is no value of Colour"},
		"seed short":           {"[A, Red]", "[A]", "must be a list of 2 values"},
		"seed column":          {"[ImportId, Colour]", "[ImportId, Color]", "name a column \"Color\""},
		"seed lacks key":       {"[ImportId, Colour]", "[Price, Colour]", "lack the required column ImportId"},
		"seed without a key":   {"[ImportId, Colour]\n      rows:\n        - [A, Red]", "[Price]\n      rows:\n        - [1]", "lack the required column ImportId"},
		"seed as an id":        {"[A, Red]", "[thing_22635a10c993592cb52c083f346aa950, Red]", "its key has the form of a production id"},
		"seed not unique":      {"    seeds:\n      columns: [ImportId, Colour]\n      rows:", "    unique: [[Colour]]\n    seeds:\n      columns: [ImportId, Colour]\n      rows:\n        - [B, Red]", "seed A of table Thing has the same Colour as another"},
		"seed null key":        {"[A, Red]", "[null, Red]", "has no ImportId, which is required"},
		"seed twice":           {"[A, Red]", "[A, Red]\n        - [A, Red]", "shop.yaml:27: seed A of table Thing is there twice"},
		"seed reference":       {"[ImportId, Colour]\n      rows:\n        - [A, Red]", "[ImportId, PartOfId]\n      rows:\n        - [A, B]", "shop.yaml:26: seed A of table Thing: PartOfId refers to Thing B"},
		"example":              {`"1.50"`, `"1.50001"`, "the example of column Price of table Thing: \"1.50001\" does not fit decimal(19,4)"},
		"unique unknown":       {"    key:", "    unique: [[Nope]]\n    key:", "no column \"Nope\" to be unique"},
		"alias of another":     {"    seeds:", "  - {name: Item, key: ImportId, aliases: [THINGS], columns: [{name: ImportId, type: text(9), required: true}]}\n  - name: Other\n    key: ImportId\n    columns: [{name: ImportId, type: text(9), required: true}]\n    seeds:", "tables Thing and Item would both match a file named \"things\""},
		"open enum value":      {"  - name: Colour\n", "  - name: Colour\n    open: \"R\"\n", "shop.yaml:7: a value of Colour needs a name of at most 60 printable characters that does not begin with R"},
		"deletes a number":     {"type: enum(Colour)", "type: enum(Colour), deletes: Red", "shop.yaml:14: column Colour of table Thing: deletes must be a value of the open enumeration"},
		"same as nothing":      {"type: enum(Colour)", "type: enum(Colour), same_as: Hue", "shop.yaml:14: column Colour of table Thing: same_as must name another column"},
		"same as itself":       {"type: enum(Colour)", "type: enum(Colour), same_as: Colour", "same_as must name another column"},
		"list of nothing":      {"enum(Colour)", "list", "unknown type \"list\""},
		"list too long":        {"enum(Colour)", "list(4001)", "the length 4001 is not between 1 and 4000"},
		"references unknown":   {"enum(Colour)", "references(Box)", "refers to table Box, which does not exist"},
		"references seeded":    {"enum(Colour)", "references(Thing)", "Colour is a list of references, which seeds cannot have"},
		"references compared":  {"type: reference(Thing)}", "type: references(Thing)}\n      - {name: Next, type: boolean, description: \"\"}\n    unique: [[PartOfId]]", "column PartOfId of table Thing cannot be in a set of unique columns"},
		"references in a rule": {"reference(Thing)}\n    checks:", "references(Thing)}\n    checks:\n      - {name: listed, severity: error, message: x, holds: PartOfId is not null}", "PartOfId has several values, and cannot be in an expression"},
		"summed by a list":     {"reference(Thing)}\n    checks:", "references(Thing)}\n    checks:\n      - {name: summed, severity: error, message: x, sum: Price, of: Thing, by: PartOfId, is: '=', to: Price}", "by must be a column of Thing that refers to Thing"},
		"file":                 {"    key:", "    file: a/b\n    key:", "the name of its file \"a/b\" must be letters and digits"},
		"manifest column":      {"enums:", "manifest: {file: m.csv, name: shop, format: \"1.0\", version: \"1\", delta: [State]}\nenums:", "shop.yaml:3: manifest: table Thing has no column State"},
		"manifest version":     {"enums:", "manifest: {file: m.csv, name: shop, format: x, version: y}\nenums:", "manifest: format must be numbers with points"},
		"manifest name":        {"enums:", "manifest: {file: m.csv, format: \"1\", version: \"1\"}\nenums:", "manifest needs the name of the standard"},
		"manifest file":        {"enums:", "manifest: {name: shop, format: \"1\", version: \"1\"}\nenums:", "manifest needs the name of its file"},
		"version":              {`"2.1"`, `latest`, "shop.yaml:2: version must be numbers with points"},
		"anchor":               {"name: Red", "name: &x Red", "shop.yaml:6: anchors and aliases are not allowed"},
		"tag":                  {"name: Red", "name: !!binary Red", "shop.yaml:6: tags such as"},
		"not a boolean":        {"required: true", "required: perhaps", "required must be true or false"},
		"control character":    {"A thing", `"a\u0007"`, "has a control character"},
		"hidden direction":     {"A thing", `"a\u202eb"`, "has a control character"},
		"indented too little":  {"    key:", "   key:", "shop.yaml:11: not YAML"},
		"indented too much":    {"    key:", "      key:", "shop.yaml:11: not YAML"},
		"indented by a tab":    {"    key:", "\tkey:", "shop.yaml:11: not YAML"},
		"never closed":         {"type: enum(Colour)}", "type: enum(Colour)", "shop.yaml:14: not YAML"},
		"fault after a brace":  {"      - {name: Price", "      - {\n        name: Cost, type: date}\n     - {name: Price", "shop.yaml:17: not YAML"},
		"NUL":                  {"name: Green", "name: Gr\x00een", "shop.yaml:7: not YAML: control characters"},
		"not UTF-8":            {"name: Green", "name: Gr\xffen", "shop.yaml:7: is not UTF-8"},
		"second document":      {"tables:", "---\ntables:", "shop.yaml:8: a second document begins here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(minimal, test.old) {
				t.Fatalf("the minimal definition has no %q", test.old)
			}
			_, err := schema.Parse("shop.yaml", strings.NewReader(strings.Replace(minimal, test.old, test.new, 1)))
			var faults schema.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("accepted, or not with faults: %v", err)
			}
			for _, want := range strings.Split(test.want, "|") {
				if strings.Contains(err.Error(), want) {
					return
				}
			}
			t.Errorf("want %s\ngot  %v", test.want, err)
		})
	}
}

func TestFaultsAreCollectedAndBounded(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("type: enum(Colour)", "type: what", "reference(Thing)", "reference(Box)").Replace(minimal)
	_, err := schema.Parse("shop.yaml", strings.NewReader(text))
	var faults schema.Faults
	if !errors.As(err, &faults) || len(faults) != 2 {
		t.Fatalf("want two faults, got %v", err)
	}
	if diff := cmp.Diff([]int{14, 16}, []int{faults[0].Line, faults[1].Line}); diff != "" {
		t.Error(diff)
	}
	_, err = schema.Parse("x", strings.NewReader("schema: A\nversion: 1\ntables: ["+strings.Repeat("{x: 1},", 190)+"]"))
	if !errors.As(err, &faults) || len(faults) > 50 {
		t.Errorf("%d faults", len(faults))
	}
}

// TestHostileFiles: a definition is an operator's, and still none may cost more than a moment.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", 'b'+i, 'b'+i, strings.Repeat(fmt.Sprintf("*%c,", 'a'+i), 9))
	}
	for name, text := range map[string]string{
		"empty":        "",
		"comment only": "# nothing\n",
		"scalar":       "7",
		"list":         "- a\n",
		"NUL":          "schema: \x00",
		"not UTF-8":    "schema: \xff\xfe\xfd",
		"too large":    strings.Repeat("# padding\n", 120_000),
		"bomb":         bomb,
		"deep flow":    strings.Repeat("[", 9000),
		"deep":         strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"many values":  "tables: [" + strings.Repeat("1,", 300_000) + "]",
		"many tables":  "schema: A\nversion: 1\ntables: [" + strings.Repeat("{name: A},", 300) + "]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schema.Parse("x.yaml", strings.NewReader(text))
			var faults schema.Faults
			if !errors.As(err, &faults) || faults[0].Line == 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(minimal)
	efimis, err := os.ReadFile("efimis-1.0.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(efimis))
	f.Add("schema: A\nversion: 1\ntables: [{name: A, key: B, columns: [{name: B, type: text(3), required: true}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schema.Parse("x.yaml", strings.NewReader(text))
		if err != nil {
			return
		}
		readTSQL(t, written(t, s.WriteTSQL))
		written(t, s.WriteJSON)
		written(t, s.WriteReferenceHTML)
		written(t, s.WriteReferenceMarkdown)
	})
}
