package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// rosterRows reads a file under OneRoster-1.1: each row as the values of the columns named, or the reject's code and column.
func rosterRows(t *testing.T, rules, name, text string, columns ...string) (rows []string, reader *mapping.Reader) {
	t.Helper()
	s := schema.OneRoster11()
	var m *mapping.Mapping
	if rules != "" {
		var err error
		if m, err = mapping.Parse("mapping.yaml", []byte(rules), s); err != nil {
			t.Fatal(err)
		}
	}
	mapper, err := mapping.New(s, m, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader, err = mapper.Open(name, strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for reader.Next() {
		if r := reader.Refused(); r != nil {
			rows = append(rows, r.Code+" "+r.Column+" "+r.Message)
			continue
		}
		var values []string
		for _, c := range columns {
			column := reader.Table().Column(c)
			v := reader.Row().Values[column.Index]
			switch {
			case v.Null:
				values = append(values, "-")
			case column.Kind == schema.Text || column.Kind == schema.Reference || column.Kind == schema.List:
				values = append(values, string(v.Text))
			default:
				values = append(values, fmt.Sprint(v.Int))
			}
		}
		rows = append(rows, strings.Join(values, " | "))
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	return rows, reader
}

func TestOneRosterUsers(t *testing.T) {
	t.Parallel()
	const header = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,agentSourcedIds,grades,metadata.bus"
	rows, reader := rosterRows(t, "", "users.csv", "\ufeff"+strings.Join([]string{
		header,
		`u1,,,true,"s1,s2",student,ada,"{LDAP:ada},{LTI:9}",Ada,Lovelace,"p1, p2,,p1",09,7`,
		`u2,,,false," s1 ,",Teacher,bob,,Bob,Bee,,"08, 09",`,
		`u3,,,true,s1,ext:librarian,cyd,,Cyd,Cee,,,`,
		`u4,,,true,s1,EXT:librarian,dan,,Dan,Dee,,,`,
		`u5,,,true,",",student,eve,,Eve,Eff,,,`,
		`u6,,,true,"s1,org_0123456789ABCDEF0123456789abcdef",student,fay,,Fay,Gee,,,`,
		`u7,,,true,"s1,user_0123456789abcdef0123456789abcdef",student,gus,,Gus,Hay,,,`,
	}, "\r\n")+"\r\n", "sourcedId", "enabledUser", "orgSourcedIds", "role", "userIds", "agentSourcedIds", "grades")
	want := []string{
		"u1 | 1 | s1,s2 | student | {LDAP:ada},{LTI:9} | p1,p2 | 09",
		"u2 | 0 | s1 | teacher | - | - | 08,09",
		"u3 | 1 | s1 | ext:librarian | - | - | -",
		`not_a_member role "EXT:librarian" is no UserRole: it may be administrator, aide, guardian, parent, proctor, relative, student, teacher, ` +
			"or a value of your own that begins with ext:; other words can be translated with map in the mapping",
		"required orgSourcedIds orgSourcedIds is required and absent",
		"u6 | 1 | s1,org_0123456789abcdef0123456789abcdef | student | - | - | -",
		`invalid_id orgSourcedIds "s1,user_0123456789abcdef0123456789abcdef" is no id of a Org: it has a control character, ` +
			"or is the production id of another table; one of Orgs begins with org_",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"metadata.bus"}, reader.Ignored()); diff != "" {
		t.Error(diff)
	}
	if len(reader.Notes()) > 0 {
		t.Errorf("notes: %q", reader.Notes())
	}
}

func TestOneRosterPrefixedLists(t *testing.T) {
	t.Parallel()
	rules := `
version: 1
files:
  - pattern: "*.csv"
    table: Class
    columns:
      termSourcedIds: {from: Terms, prefix: T-, case: upper}
`
	rows, _ := rosterRows(t, rules, "x.csv", "sourcedId,title,courseSourcedId,classType,schoolSourcedId,Terms\n"+
		"k1,Maths,c1,scheduled,s1,\"a, b ,academic_session_0123456789abcdef0123456789abcdef\"\n", "termSourcedIds")
	want := []string{"T-A,T-B,academic_session_0123456789abcdef0123456789abcdef"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestOneRosterDemographicsAreOfAUser(t *testing.T) {
	t.Parallel()
	rows, reader := rosterRows(t, "", "demographics.csv", "sourcedId,birthDate,sex,asian\nu1,2012-12-10,Female,true\n",
		"sourcedId", "userSourcedId", "sex", "asian")
	if diff := cmp.Diff([]string{"u1 | u1 | female | 1"}, rows); diff != "" {
		t.Error(diff)
	}
	if len(reader.Ignored()) > 0 {
		t.Errorf("ignored: %q", reader.Ignored())
	}
}

func TestListsOfTooManyIDs(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 501 {
		ids = append(ids, fmt.Sprint("p", i))
	}
	rows, _ := rosterRows(t, "", "classes.csv", "sourcedId,title,courseSourcedId,classType,schoolSourcedId,termSourcedIds\n"+
		"k1,Maths,c1,scheduled,s1,\""+strings.Join(ids, ",")+"\"\n"+
		"k2,Maths,c1,scheduled,s1,\""+strings.Join(ids[:500], ",")+"\"\n"+
		"k3,Maths,c1,scheduled,s1,\""+strings.Repeat("x", 256)+"\"\n", "sourcedId")
	for i, want := range []string{ingest.CodeTooLong + " termSourcedIds", "k2", ingest.CodeTooLong + " termSourcedIds"} {
		if i >= len(rows) || !strings.HasPrefix(rows[i], want) {
			t.Errorf("row %d: want %s, got %.80q", i+1, want, rows)
		}
	}
}

// TestOneRosterFiles sees that every file of the standard finds its table by its name, with the header of its template.
func TestOneRosterFiles(t *testing.T) {
	t.Parallel()
	for _, s := range []*schema.Schema{schema.OneRoster11(), schema.OneRoster12()} {
		mapper, err := mapping.New(s, nil, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range s.Tables {
			var b strings.Builder
			if err := table.WriteTemplate(&b); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{table.TemplateName(), "Export/" + strings.ToUpper(table.TemplateName()), "2026-11-22_" + table.TemplateName()} {
				reader, err := mapper.Open(name, strings.NewReader(b.String()))
				switch {
				case err != nil:
					t.Errorf("%s %s: %v", s.ID(), name, err)
				case reader.Table() != table:
					t.Errorf("%s %s is read as %s", s.ID(), name, reader.Table().Name)
				case len(reader.Ignored()) > 0:
					t.Errorf("%s %s: ignored: %q", s.ID(), name, reader.Ignored())
				}
			}
		}
	}
}
