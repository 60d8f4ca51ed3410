package unpack_test

import (
	"strings"
	"testing"

	"dropline/mapping/unpack"
)

const (
	mainNS = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	relsNS = `xmlns="http://schemas.openxmlformats.org/package/2006/relationships"`
	sheetT = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet`
)

// book is a workbook with the rows of its sheets; a sheet that begins with "hidden:" is hidden.
func book(t testing.TB, sheets ...string) []byte {
	t.Helper()
	return bookWith(t, "", sheets...)
}

func bookWith(t testing.TB, properties string, sheets ...string) []byte {
	t.Helper()
	var list, relations strings.Builder
	members := []member{
		{"[Content_Types].xml", "<Types/>"},
		{"xl/styles.xml", `<styleSheet ` + mainNS + `><numFmts count="3"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/><numFmt numFmtId="165" ` +
			`formatCode="#,##0.00\ &quot;days&quot;"/><numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>` +
			`<xf numFmtId="164"/><xf numFmtId="22"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="20"/></cellXfs></styleSheet>`},
		{"xl/sharedStrings.xml", `<?xml version="1.0" encoding="UTF-8"?><sst ` + mainNS + `><si><t>name</t></si><si><t xml:space="preserve"> a &amp; b, "c" </t></si>` +
			`<si><r><t>rich </t></r><r><rPr><b/></rPr><t>text</t></r><rPh sb="0" eb="1"><t>aloud</t></rPh></si><si/></sst>`},
	}
	for i, rows := range sheets {
		n := string(rune('1' + i))
		state := ""
		if rest, ok := strings.CutPrefix(rows, "hidden:"); ok {
			rows, state = rest, ` state="hidden"`
		}
		list.WriteString(`<sheet name="Sheet ` + n + `" sheetId="` + n + `"` + state + ` r:id="rId` + n + `"/>`)
		relations.WriteString(`<Relationship Id="rId` + n + `" Type="` + sheetT + `" Target="worksheets/sheet` + n + `.xml"/>`)
		members = append(members, member{"xl/worksheets/sheet" + n + ".xml", `<worksheet ` + mainNS + `><sheetData>` + rows + `</sheetData></worksheet>`})
	}
	members = append(members, member{"xl/workbook.xml", `<workbook ` + mainNS + `>` + properties + `<sheets>` + list.String() + `</sheets></workbook>`},
		member{"xl/_rels/workbook.xml.rels", `<Relationships ` + relsNS + `>` + relations.String() + `</Relationships>`})
	return zipOf(t, members...)
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	header := `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>value</t></is></c></row>`
	for name, c := range map[string]struct{ cells, want string }{
		"shared":        {`<c t="s"><v>1</v></c><c t="s"><v>2</v></c>`, "\" a & b, \"\"c\"\" \",rich text\n"},
		"number":        {`<c><v>12.5</v></c><c><v>0.30000000000000004</v></c>`, "12.5,0.3\n"},
		"exponent":      {`<c><v>1E-3</v></c><c><v>1.2345E+5</v></c>`, "0.001,123450\n"},
		"date":          {`<c s="1"><v>46348</v></c><c s="2"><v>46348.0</v></c>`, "2026-11-22,2026-11-22\n"},
		"date and time": {`<c s="3"><v>46348.604166666664</v></c><c s="6"><v>0.5</v></c>`, "2026-11-22T14:30:00,12:00:00\n"},
		"early":         {`<c s="1"><v>1</v></c><c s="1"><v>61</v></c>`, "1900-01-01,1900-03-01\n"},
		"no date":       {`<c s="4"><v>46348</v></c><c s="5"><v>1.5</v></c>`, "46348,1.5\n"},
		"boolean":       {`<c t="b"><v>1</v></c><c t="b"><v>0</v></c>`, "TRUE,FALSE\n"},
		"formula":       {`<c t="str"><f>A1&amp;"x"</f><v>y</v></c><c t="e"><f>1/0</f><v>#DIV/0!</v></c>`, "y,#DIV/0!\n"},
		"sparse":        {`<c r="B2"><v>2</v></c><c r="D2"><v>4</v></c>`, ",2,,4\n"},
		"short":         {`<c r="A2"><v>1</v></c>`, "1,\n"},
		"control":       {`<c t="inlineStr"><is><t>a_x000D_b</t></is></c><c t="inlineStr"><is><t><![CDATA[<x>]]></t></is></c>`, "\"a\rb\",<x>\n"},
		"prefixed":      {`<x:c xmlns:x="y"><x:v>7</x:v></x:c><!-- > --><c><v>8</v></c>`, "7,8\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(t, stored("a.xlsx", book(t, header+`<row r="2">`+c.cells+`</row>`)), unpack.Options{})
			if want := "name,value\n" + c.want; err != nil || got != want {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestSheets(t *testing.T) {
	t.Parallel()
	row := `<row r="3"><c r="A3"><v>1</v></c></row><row r="5"><c r="A5"><v>2</v></c></row>`
	content := book(t, row, "", "hidden:"+row, `<row><c><v>3</v></c></row>`)
	got, err := readAll(t, stored("a.xlsx", content), unpack.Options{})
	if want := "Sheet 1: \n\n1\n\n2\nSheet 4: 3\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	p, err := unpack.New(unpack.Config{}).Open(t.Context(), stored("a.xlsx", content), unpack.Options{})
	if err != nil || len(p.Notes()) != 1 || !p.Exact("Sheet 1") {
		t.Errorf("%v, %v", p.Notes(), err)
	}
	p, err = unpack.New(unpack.Config{}).Open(t.Context(), stored("a.xlsx", book(t, "", row)), unpack.Options{})
	if err != nil || p.Members() != nil {
		t.Errorf("a workbook with one sheet that is not empty: %v, %v", p.Members(), err)
	}
	got, err = readAll(t, stored("a.xlsx", bookWith(t, `<workbookPr date1904="1"/>`, `<row><c s="1"><v>44886</v></c></row>`)), unpack.Options{})
	if err != nil || got != "2026-11-22\n" {
		t.Errorf("1904: %q, %v", got, err)
	}
}

func TestWorkbookHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rows, want string }{
		"document type":  {`<!DOCTYPE x [<!ENTITY a "b">]>`, "damaged"},
		"row too far":    {`<row r="1048577"><c><v>1</v></c></row>`, "damaged"},
		"column too far": {`<row r="1"><c r="XFE1"><v>1</v></c></row>`, "damaged"},
		"backwards":      {`<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>`, "damaged"},
		"no such text":   {`<row><c t="s"><v>99</v></c></row>`, "damaged"},
		"huge cell":      {`<row><c t="str"><v>` + strings.Repeat("x", 2<<20) + `</v></c></row>`, "damaged"},
		"huge tag":       {`<row><c a="` + strings.Repeat("x", 1<<20) + `"><v>1</v></c></row>`, "damaged"},
		"empty":          {``, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, stored("a.xlsx", book(t, c.rows)), unpack.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
