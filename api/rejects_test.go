package api_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

const rejectsHeader = "file,table,record,line,column,header,code,message,value,importId,offset,length,output\n"

// addRejects gives an import a rejects file with n records, and returns what is in it.
func (f *fixture) addRejects(imp *ingest.Import, n int) (text string, want []api.Reject) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(strings.Split(strings.TrimSpace(rejectsHeader), ","))
	for i := range n {
		value := []string{"30/02/2026", "a \"quoted\" thing", "two\r\nlines, and a comma", "", " x ", "naïve \u2028 日本", "\n", "\r"}[i%8]
		r := api.Reject{
			File: "/inbox/a, b.csv", Table: "Matter", Record: int64(i + 1), Line: int64(2*i + 2), Column: "OpenDate", Header: "Open \"Date\"",
			Code: "not_a_date", Message: "February 2026 has 28 days", Value: value, ImportID: fmt.Sprint("M-", i), Offset: int64(i) * 100, Length: 99,
		}
		want = append(want, r)
		_ = w.Write([]string{
			r.File, r.Table, strconv.FormatInt(r.Record, 10), strconv.FormatInt(r.Line, 10), r.Column, r.Header, r.Code, r.Message, r.Value,
			r.ImportID, strconv.FormatInt(r.Offset, 10), strconv.FormatInt(r.Length, 10),
		})
	}
	w.Flush()
	imp.Rejected = int64(n)
	f.bucket.put("reports/"+string(imp.Tenant)+"/"+string(imp.ID)+"/rejects.csv", b.String())
	return b.String(), want
}

func TestRejectsAreComplete(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Rejected)
	_, want := f.addRejects(imp, 1234)
	for _, limit := range []int{1, 7, 500} {
		if limit == 1 {
			want := want[:40]
			got := f.walkRejects(imp.ID, limit, len(want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("limit %d: -want +got:\n%s", limit, diff)
			}
			continue
		}
		if diff := cmp.Diff(want, f.walkRejects(imp.ID, limit, 1<<30)); diff != "" {
			t.Errorf("limit %d: -want +got:\n%s", limit, diff)
		}
	}
}

func (f *fixture) walkRejects(id ingest.ImportID, limit, atMost int) (got []api.Reject) {
	f.t.Helper()
	for cursor := ""; len(got) < atMost; {
		var page api.RejectPage
		f.do(http.MethodGet, "/etl/imports/"+string(id)+"/rejects?limit="+itoa(limit)+cursor, f.acme, nil).want(http.StatusOK, &page)
		if page.Total < int64(len(got)) || len(page.Items) > limit {
			f.t.Fatalf("total %d, %d on a page", page.Total, len(page.Items))
		}
		got = append(got, page.Items...)
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	return got
}

func TestRejectsAsCSV(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Staged)
	text, _ := f.addRejects(imp, 300)
	for path, options := range map[string][]string{
		"/rejects.csv":     nil,
		"/rejects":         {"Accept: text/csv"},
		"/rejects?limit=1": {"Accept: application/json;q=0.5, text/csv"},
	} {
		a := f.do(http.MethodGet, "/etl/imports/"+string(imp.ID)+path, f.acme, nil, options...).want(http.StatusOK)
		if diff := cmp.Diff(text, string(a.body)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") || a.header.Get("Content-Length") != itoa(len(text)) ||
			!strings.Contains(a.header.Get("Content-Disposition"), string(imp.ID)) {
			t.Errorf("%s: headers %v", path, a.header)
		}
	}
	if a := f.do(http.MethodHead, "/etl/imports/"+string(imp.ID)+"/rejects.csv", f.acme, nil).want(http.StatusOK); len(a.body) > 0 {
		t.Error("HEAD has a body")
	}
}

func TestNoRejects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Staged)
	a := f.do(http.MethodGet, "/etl/imports/"+string(imp.ID)+"/rejects", f.acme, nil).want(http.StatusOK)
	if diff := cmp.Diff(`{"items":[],"total":0}`+"\n", string(a.body)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a = f.do(http.MethodGet, "/etl/imports/"+string(imp.ID)+"/rejects.csv", f.acme, nil).want(http.StatusOK)
	if diff := cmp.Diff(rejectsHeader, string(a.body)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRejectsNotKnown makes sure that no empty list is given where nobody knows, or where the file is gone.
func TestRejectsNotKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, state := range []ingest.State{ingest.Queued, ingest.Loading, ingest.Validating, ingest.Failed, ingest.Cancelled} {
		id := string(f.addImport("acme", state).ID)
		f.do(http.MethodGet, "/etl/imports/"+id+"/rejects", f.acme, nil).problem(http.StatusConflict)
		f.do(http.MethodGet, "/etl/imports/"+id+"/rejects.csv", f.acme, nil).problem(http.StatusConflict)
	}
	imp := f.addImport("acme", ingest.Staged)
	imp.Rejected = 3
	f.do(http.MethodGet, "/etl/imports/"+string(imp.ID)+"/rejects", f.acme, nil).problem(http.StatusInternalServerError)
	f.bucket.broken = ingest.Errorf(ingest.Unavailable, "fake", "10.0.0.7")
	f.do(http.MethodGet, "/etl/imports/"+string(imp.ID)+"/rejects", f.acme, nil).problem(http.StatusServiceUnavailable)
	f.do(http.MethodGet, "/etl/imports/"+string(imp.ID)+"/rejects.csv", f.acme, nil).problem(http.StatusServiceUnavailable)
}

func TestRejectsCursor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Staged)
	f.addRejects(imp, 20)
	path := "/etl/imports/" + string(imp.ID) + "/rejects?limit=3&cursor="
	var page api.RejectPage
	f.do(http.MethodGet, strings.TrimSuffix(path, "&cursor="), f.acme, nil).want(http.StatusOK, &page)
	f.addRejects(imp, 21) // loaded again
	f.do(http.MethodGet, path+page.NextCursor, f.acme, nil).problem(http.StatusConflict)
	for name, cursor := range map[string]string{
		"huge": "cmVqZWN0czo5OTk5OTk5OTk5LA", "negative": "cmVqZWN0czotMSw", "overflow": "cmVqZWN0czo5OTk5OTk5OTk5OTk5OTk5OTk5OSw",
		"mid record": "cmVqZWN0czoxMTAs", "another list's": "aW1wb3J0czox", "no base64": "%20", "text": "rejects",
	} {
		t.Run(name, func(t *testing.T) {
			if p := f.do(http.MethodGet, path+cursor, f.acme, nil).problem(http.StatusUnprocessableEntity); len(p.Errors) == 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestRejectsBrokenOff makes sure that a client can tell a file that broke off from a whole one.
func TestRejectsBrokenOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Staged)
	f.addRejects(imp, 2000)
	f.bucket.cutAt = 100_000
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/etl/imports/"+string(imp.ID)+"/rejects.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.acme)
	response, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := new(bytes.Buffer).ReadFrom(response.Body); err == nil {
		t.Error("the body seems whole")
	}
}
