package mapping_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/mapping"
	"dropline/schema"
)

// sds is the example mapping of a roster in the format of School Data Sync.
func sds(t *testing.T, sections string) *mapping.Mapper {
	t.Helper()
	const name = "../docs/examples/sds-oneroster-1.1.yaml"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Parse(name, text, schema.OneRoster11())
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := mapping.New(schema.OneRoster11(), m, mapping.Options{Lookup: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(sections)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return mapper
}

// tables reads a file for each of its tables: how many rows there are, the first of them, and the rejects.
func tables(t *testing.T, m *mapping.Mapper, name, text string) (got []string) {
	t.Helper()
	for output := range m.Outputs(name) {
		r, err := m.OpenFile(mapping.File{Path: name, Output: output + 1}, strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows, line := 0, ""
		for ; r.Next(); rows++ {
			if reject := r.Refused(); reject != nil {
				t.Errorf("%s: %+v", name, reject)
			}
			if rows == 0 {
				for i, v := range r.Row().Values {
					if !v.Null {
						line += fmt.Sprintf(" %s=%s", r.Table().Columns[i].Name, strings.TrimSpace(string(v.Text)+" "+map[bool]string{true: fmt.Sprint(v.Int)}[v.Text == nil]))
					}
				}
			}
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		got = append(got, fmt.Sprintf("%d %s%s", rows, r.Table().Name, line))
	}
	return got
}

const sections = "SIS ID,School SIS ID,Section Name,Section Number,Term SIS ID,Term Name,Term StartDate,Term EndDate,Course SIS ID,Course Name,Course Number,Course Description,Course Subject,Periods,Status,\r\n" +
	"K1,S1,Algebra A,1,T1,Autumn,9/1/2026,12/20/2026,C1,Algebra,101,,Math,1,Active,\r\n" +
	"K2,S1,Algebra B,2,T1,Autumn,9/1/2026,12/20/2026,C1,Algebra,101,,Math,2,Active,\r\n" +
	"K3,S1,History A,3,T1,Autumn,9/1/2026,12/20/2026,C2,History,201,,History,3,Active,\r\n"

// TestDistinct: of what stands on every line there is one row.
func TestDistinct(t *testing.T) {
	t.Parallel()
	want := []string{
		"1 AcademicSession sourcedId=T1 title=Autumn type=term startDate=20697 endDate=20807 schoolYear=2026",
		"2 Course sourcedId=C1 title=Algebra courseCode=101 orgSourcedId=S1 subjects=Math",
		"3 Class sourcedId=K1 title=Algebra A courseSourcedId=C1 classCode=1 classType=scheduled schoolSourcedId=S1 termSourcedIds=T1 subjects=Math periods=1",
	}
	if diff := cmp.Diff(want, tables(t, sds(t, sections), "Section.csv", sections)); diff != "" {
		t.Error(diff)
	}
	want = []string{"1 Enrollment sourcedId=K2-P1 classSourcedId=K2 schoolSourcedId=S1 userSourcedId=P1 role=student"}
	if diff := cmp.Diff(want, tables(t, sds(t, sections), "StudentEnrollment.csv", "Section SIS ID,SIS ID\nK2,P1\n")); diff != "" {
		t.Error(diff)
	}
}

// TestDistinctKeepsWhatDiffers: a key that comes again with other values is not the same row, and what was left out is told.
func TestDistinctKeepsWhatDiffers(t *testing.T) {
	t.Parallel()
	rules := "version: 1\nfiles:\n  - {pattern: '*.csv', table: Org, distinct: true, where: 'name != \"x\"'}\n"
	rows, reader := rosterRows(t, rules, "orgs.csv", "sourcedId,name,type,identifier\n1,A,school,\n1,A,school,\n1,B,school,\n2,,school,\n2,,school,\n3,x,school,\n1,A,school,7\n", "sourcedId", "name")
	want := []string{"1 | A", "1 | B", "required name name is required and absent", "required name name is required and absent", "1 | A"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	notes := []string{"1 of 7 rows are left out as they are there before", "1 of 7 rows are left out by where, in line 3 of the mapping"}
	if diff := cmp.Diff(notes, reader.Notes()); diff != "" {
		t.Error(diff)
	}
}

// TestSchoolDataSync maps a roster that nobody here made.
func TestSchoolDataSync(t *testing.T) {
	t.Parallel()
	dir := realData(t, "sds-100-users")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	mapper := sds(t, read("Section.csv"))
	for name, want := range map[string][]string{
		"School.csv": {"2 Org"}, "Section.csv": {"1 AcademicSession", "28 Course", "28 Class"}, "Student.csv": {"86 User", "86 Demographics"},
		"StudentEnrollment.csv": {"602 Enrollment"}, "Teacher.csv": {"12 User"}, "TeacherRoster.csv": {"28 Enrollment"},
	} {
		for i, got := range tables(t, mapper, name, read(name)) {
			if !strings.HasPrefix(got, want[i]+" ") {
				t.Errorf("%s: want %s, got %s", name, want[i], got)
			}
		}
	}
}
