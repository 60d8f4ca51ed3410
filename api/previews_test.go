package api_test

import (
	"archive/zip"
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

const customers = "CustomerId,Type,FirstName,LastName,Fax\nC1,Person,Ann,Ash,x\nC2,Martian,Bob,Bee,x\n"

// shown is rows with "-" where there is no value.
func shown(t *api.PreviewTable) [][]string {
	out := [][]string{}
	for _, row := range t.Rows {
		var cells []string
		for _, v := range row {
			if v == nil {
				cells = append(cells, "-")
			} else {
				cells = append(cells, *v)
			}
		}
		out = append(out, cells)
	}
	return out
}

// storedImport is a rejected import of acme's with those files.
func (f *fixture) storedImport(files map[string]string) *ingest.Import {
	f.t.Helper()
	imp := f.addImport("acme", ingest.Rejected)
	for name, body := range files {
		key := "drops/acme/" + name
		f.bucket.put(key, body)
		imp.Files = append(imp.Files, ingest.ImportFile{Number: len(imp.Files) + 1, Path: "/inbox/" + name, Key: key, Size: int64(len(body)), State: ingest.FileRefused})
	}
	return imp
}

func checkCustomers(t *testing.T, got *api.Preview, file string) {
	t.Helper()
	if len(got.Tables) != 1 {
		t.Fatalf("%+v", got)
	}
	table := got.Tables[0]
	if table.File != file || table.Table != "Contact" || table.RowsRead != 2 || table.RowsRejected != 1 || !table.Whole || table.Code != "" {
		t.Errorf("%+v", table)
	}
	if d := cmp.Diff([]string{"ImportId", "Type", "FirstName", "LastName"}, table.Columns); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([][]string{{"C1", "Person", "Ann", "Ash"}}, shown(&table)); d != "" {
		t.Error(d)
	}
	if len(table.FirstErrors) != 1 || table.FirstErrors[0].Code != ingest.CodeNotMember || table.FirstErrors[0].Line != 3 {
		t.Errorf("%+v", table.FirstErrors)
	}
	if d := cmp.Diff([]string{"Fax"}, table.IgnoredColumns); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(api.PreviewSource{Column: "ImportId", How: "mapping", Headers: []string{"CustomerId"}}, table.Sources[0]); d != "" {
		t.Error(d)
	}
}

func TestPreviewOfStoredFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.storedImport(map[string]string{"daily/Customers.csv": customers})
	look := func(token, query string, r api.PreviewRequest) *api.Preview {
		got := &api.Preview{}
		f.do(http.MethodPost, "/etl/mappings/preview"+query, token, r).want(http.StatusOK, got)
		return got
	}
	checkCustomers(t, look(f.acme, "", api.PreviewRequest{RequestID: string(imp.ID), Mapping: aMapping}), "daily/Customers.csv")
	// Without a mapping the file is what it was: refused.
	got := look(f.operator, "", api.PreviewRequest{RequestID: string(imp.ID)})
	if got.Tables[0].Code != ingest.CodeMissingColumn || got.Tables[0].Error == "" || len(got.Tables[0].Rows) != 0 {
		t.Errorf("without a mapping: %+v", got)
	}
	f.do(http.MethodPut, "/etl/tenants/acme/mapping", f.acme, aMapping).want(http.StatusOK)
	checkCustomers(t, look(f.acme, "", api.PreviewRequest{RequestID: string(imp.ID)}), "daily/Customers.csv")

	var drop api.Drop
	f.do(http.MethodPut, "/etl/files/Customers2.csv", f.acme, customers).want(http.StatusCreated, &drop)
	checkCustomers(t, look(f.operator, "?tenant=acme", api.PreviewRequest{Drops: []string{drop.ID}}), "Customers2.csv")
	if n := len(f.ledger.imports); n != 1 || len(f.ledger.requests) != 0 {
		t.Errorf("%d imports, %v: a preview stored something", n, f.ledger.requests)
	}
}

func TestPreviewOfSentFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("in/Customers.csv")
	if err == nil {
		_, err = io.WriteString(w, customers)
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, body, want string }{
		"a file":     {"Customers.csv", customers, "Customers.csv"},
		"in folders": {"a/b/Customers.csv", customers, "a/b/Customers.csv"},
		"an archive": {"export.zip", archive.String(), "export.zip/in/Customers.csv"},
	} {
		t.Run(name, func(t *testing.T) {
			var got api.Preview
			f.form(map[string]string{"mapping": aMapping, "rows": "3"}, c.file, c.body).want(http.StatusOK, &got)
			checkCustomers(t, &got, c.want)
		})
	}
	var got api.Preview
	f.form(map[string]string{"mappingVersion": "0"}, "broken.zip", archive.String()[:60]).want(http.StatusOK, &got)
	if len(got.Tables) != 1 || got.Tables[0].Code != ingest.CodeUnreadable {
		t.Errorf("a damaged archive: %+v", got)
	}
}

// form sends a file as curl -F does.
func (f *fixture) form(fields map[string]string, file, body string) *answer {
	f.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			f.t.Fatal(err)
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + file + `"`}})
	if err == nil {
		_, err = io.WriteString(part, body)
	}
	if err != nil || form.Close() != nil {
		f.t.Fatal(err)
	}
	return f.do(http.MethodPost, "/etl/mappings/preview", f.acme, io.Reader(&b), "Content-Type: "+form.FormDataContentType())
}

// TestPreviewOfASchool: a zip of OneRoster is looked at with no mapping, and its manifest is no table's.
func TestPreviewOfASchool(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := f.ledger.tenants["acme"]
	tenant.Schema = "oneroster-1.1"
	f.ledger.tenants["acme"] = tenant
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, file := range [][2]string{
		{"manifest.csv", "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.orgs,bulk\n"},
		{"orgs.csv", "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\no1,,,North High,school,,\n"},
	} {
		w, err := z.Create(file[0])
		if err == nil {
			_, err = io.WriteString(w, file[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if z.Close() != nil {
		t.Fatal("the archive is not whole")
	}
	var got api.Preview
	f.form(nil, "school.zip", archive.String()).want(http.StatusOK, &got)
	if len(got.Tables) != 1 || got.Tables[0].Table != "Org" || got.Tables[0].RowsRead != 1 || got.Tables[0].RowsRejected != 0 {
		t.Errorf("%+v", got.Tables)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "manifest.csv") {
		t.Errorf("notes: %v", got.Notes)
	}
}

func TestPreviewFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.storedImport(map[string]string{"Customers.csv": customers})
	id := string(imp.ID)
	for name, c := range map[string]struct {
		body   any
		status int
		says   string
	}{
		"faulty mapping":        {api.PreviewRequest{RequestID: id, Mapping: "version: 1\nfiles:\n  - pattern: x\n    table: Nothing\n"}, 422, "mapping.yaml:4"},
		"nothing":               {api.PreviewRequest{}, 422, "requestId"},
		"two ways":              {api.PreviewRequest{RequestID: id, Drops: []string{"drop_x"}}, 422, "requestId"},
		"mapping and version":   {api.PreviewRequest{RequestID: id, Mapping: aMapping, MappingVersion: new(int)}, 422, "mappingVersion"},
		"unknown field":         {map[string]any{"requestId": id, "colour": "red"}, 422, "body"},
		"many rows":             {api.PreviewRequest{RequestID: id, Rows: 1000}, 422, "rows"},
		"no such version":       {api.PreviewRequest{RequestID: id, MappingVersion: ptrTo(7)}, 404, ""},
		"nobody's drop":         {api.PreviewRequest{Drops: []string{string(ingest.NewDropID())}}, 404, ""},
		"not even an id":        {api.PreviewRequest{Drops: []string{"../x"}}, 404, ""},
		"neither JSON nor form": {"version: 1", 415, ""},
	} {
		p := f.do(http.MethodPost, "/etl/mappings/preview", f.acme, c.body).problem(c.status)
		if c.says != "" && (len(p.Errors) == 0 || !strings.Contains(p.Errors[0].Location, c.says)) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	f.form(map[string]string{"rows": "many"}, "a.csv", "").problem(422)
	f.form(map[string]string{"colour": "red"}, "a.csv", "").problem(422)
	f.form(nil, "../../etc/passwd", "").problem(422)
	f.do(http.MethodPost, "/etl/mappings/preview", f.acme, strings.NewReader("--x\r\nContent-Di"), "Content-Type: multipart/form-data; boundary=x").problem(400)
	f.do(http.MethodPost, "/etl/mappings/preview", f.acme, strings.NewReader("--x"), "Content-Type: multipart/form-data").problem(400)

	imp.Files[0].Key = "gone"
	var got api.Preview
	f.do(http.MethodPost, "/etl/mappings/preview", f.acme, api.PreviewRequest{RequestID: id}).want(http.StatusOK, &got)
	if len(got.Tables) != 1 || got.Tables[0].Code != ingest.CodeUnreadable {
		t.Errorf("a file that is no longer stored: %+v", got)
	}
}

func ptrTo(n int) *int { return &n }

func TestRerunAndProposal(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.storedImport(map[string]string{"Customers.csv": customers})
	path := "/etl/imports/" + string(imp.ID)
	f.do(http.MethodPut, "/etl/tenants/acme/mapping", f.acme, aMapping).want(http.StatusOK)
	f.do(http.MethodPost, path+"/rerun", f.acme, api.RerunRequest{MappingVersion: ptrTo(2)}).problem(http.StatusNotFound)
	f.do(http.MethodPost, path+"/rerun", f.acme, map[string]any{"mappingVersion": -1}).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, path+"/rerun", f.bravo, nil).problem(http.StatusNotFound)
	var started api.Started
	f.do(http.MethodPost, path+"/rerun", f.acme, nil).want(http.StatusAccepted, &started)
	if started.RequestID == string(imp.ID) || !strings.Contains(started.Message, "version 1") {
		t.Errorf("%+v", started)
	}
	var next, old api.ImportStatus
	f.do(http.MethodGet, "/etl/imports/"+started.RequestID, f.acme, nil).want(http.StatusOK, &next)
	f.do(http.MethodGet, path, f.acme, nil).want(http.StatusOK, &old)
	if next.RerunOf != string(imp.ID) || next.MappingVersion != 1 || old.RerunAs != started.RequestID || old.State != "rejected" {
		t.Errorf("the new %+v, the old %+v", next.ImportSummary, old.ImportSummary)
	}
	f.do(http.MethodPost, "/etl/imports/"+started.RequestID+"/rerun", f.acme, api.RerunRequest{MappingVersion: ptrTo(0)}).problem(http.StatusConflict)

	f.do(http.MethodGet, path+"/proposal", f.acme, nil).problem(http.StatusNotFound)
	f.bucket.put(ingest.ReportPrefix+"acme/"+string(imp.ID)+"/proposal.json",
		`{"mapping": "version: 1\n", "clear": false, "lines": [{"file": "x.csv", "table": "Contact", "confidence": 0.5, "reason": "r"}], "open": null}`)
	var p api.Proposal
	f.do(http.MethodGet, path+"/proposal", f.operator, nil).want(http.StatusOK, &p)
	want := api.Proposal{
		Mapping: "version: 1\n", Lines: []api.ProposalLine{{File: "x.csv", Table: "Contact", Confidence: 0.5, Reason: "r"}}, Open: []api.ProposalQuestion{},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
}
