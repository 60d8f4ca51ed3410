package api_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"dropline/api"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	w, err := form.CreateFormFile("file", "Employees.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("EmployeeId;Surname;First Name;Hire Date;Shoe Size\n1;Adams;Ann;13/02/2020;38\n2;Brown;Bob;01/03/2021;44\n"))
	_ = form.Close()
	var p api.Proposal
	f.do(http.MethodPost, "/etl/mappings/suggest", f.acme, strings.NewReader(body.String()), "Content-Type: "+form.FormDataContentType()).want(http.StatusOK, &p)
	found := ""
	for _, l := range p.Lines {
		if l.Confidence >= 0.9 {
			found += l.Column + "<-" + l.From + " "
		}
	}
	for _, want := range []string{"ImportId<-EmployeeId", "LastName<-Surname", "FirstName<-First Name", "StartDate<-Hire Date"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q lacks %s", found, want)
		}
	}
	if p.Clear || !strings.Contains(p.Mapping, "table: Employee") || len(p.Open) == 0 {
		t.Errorf("%+v", p)
	}
	f.do(http.MethodPost, "/etl/mappings/suggest", "", strings.NewReader(body.String()), "Content-Type: "+form.FormDataContentType()).problem(http.StatusUnauthorized)
}
