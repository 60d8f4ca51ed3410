package main

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
)

// workbookRows is how many rows of a file go into a workbook: a sheet has room for 1,048,576.
const workbookRows = 300_000

// workbook writes the beginning of a CSV file as an Excel workbook of one sheet, its values as inline text.
func workbook(file, to string) (err error) {
	in, err := os.Open(file) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer in.Close()          //nolint:errcheck // it was only read
	out, err := os.Create(to) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	z := zip.NewWriter(out)
	const main, relations = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ` +
			`ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="` +
			`application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ` +
			`ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` +
			relations + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="` + main + `" xmlns:r="` + relations + `"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
			`Type="` + relations + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
	} {
		w, err := z.Create(part[0])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xml.Header+part[1]); err != nil {
			return err
		}
	}
	sheet, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(sheet, 1<<16)
	_, _ = w.WriteString(xml.Header + `<worksheet xmlns="` + main + `"><sheetData>`) // Flush tells of errors
	if err := writeRows(w, csv.NewReader(bufio.NewReaderSize(in, 1<<20))); err != nil {
		return err
	}
	_, _ = w.WriteString(`</sheetData></worksheet>`)
	if err := w.Flush(); err != nil {
		return err
	}
	return z.Close()
}

func writeRows(w *bufio.Writer, rows *csv.Reader) error {
	rows.ReuseRecord = true
	for n := 1; n <= workbookRows; n++ {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, `<row r="%d">`, n) // Flush tells of errors
		for _, value := range record {
			_, _ = w.WriteString(`<c t="inlineStr"><is><t xml:space="preserve">`)
			if err := xml.EscapeText(w, []byte(value)); err != nil {
				return err
			}
			_, _ = w.WriteString(`</t></is></c>`)
		}
		_, _ = w.WriteString(`</row>`)
	}
	return nil
}
