package suggest_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dropline/mapping"
	"dropline/mapping/suggest"
	"dropline/schema"
)

// texts are files in memory, by name.
func texts(files map[string]string, order ...string) []suggest.File {
	var out []suggest.File
	for _, name := range order {
		out = append(out, suggest.File{Path: name, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(files[name])), nil
		}})
	}
	return out
}

// real are the files of a folder of real data, which is outside the repository.
func real(t *testing.T, folder string) []suggest.File {
	t.Helper()
	root := os.Getenv("DROPLINE_TESTDATA")
	if root == "" {
		t.Skip("DROPLINE_TESTDATA is not set")
	}
	names, err := filepath.Glob(filepath.Join(root, folder, "*.csv"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	var out []suggest.File
	for _, name := range names {
		out = append(out, suggest.File{Path: filepath.Base(name), Open: func(context.Context) (io.ReadCloser, error) { return os.Open(name) }})
	}
	return out
}

// judge compares a proposal with a mapping written by hand: lines of "file table column <- header, header". A line of also is neither
// wanted nor wrong.
func judge(t *testing.T, s *schema.Schema, files []suggest.File, truth, also string, share float64) *suggest.Proposal {
	t.Helper()
	p, err := suggest.Propose(t.Context(), s, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mapping.Parse("draft.yaml", p.YAML, s); err != nil {
		t.Fatalf("the draft is no mapping: %v\n%s", err, p.YAML)
	}
	want, allowed := map[string]string{}, map[string]bool{}
	for line := range strings.Lines(truth) {
		if at, from, ok := strings.Cut(strings.TrimSpace(line), " <- "); ok {
			want[at] = from
		}
	}
	for line := range strings.Lines(also) {
		allowed[strings.TrimSpace(line)] = true
	}
	right := 0
	for _, l := range p.Lines {
		if l.Column == "" {
			continue
		}
		at := l.File + " " + l.Table + " " + l.Column
		from, wanted := want[at]
		switch {
		case wanted && l.From == from:
			right++
		case l.Confidence >= suggest.Confident && !allowed[at]:
			t.Errorf("%s <- %s (%.2f, %s) is wrong: want %q", at, l.From, l.Confidence, l.Reason, from)
		}
	}
	t.Logf("%d of %d lines right", right, len(want))
	if float64(right) < share*float64(len(want)) {
		t.Errorf("%d of %d lines are right, want %.0f %%:\n%s", right, len(want), share*100, p.YAML)
	}
	return p
}

func TestChinook(t *testing.T) {
	t.Parallel()
	judge(t, schema.Efimis10(), real(t, "chinook"), `
Customer.csv Contact ImportId <- CustomerId
Customer.csv Contact Type <- Company
Customer.csv Contact FirstName <- FirstName
Customer.csv Contact LastName <- LastName
Customer.csv Contact OrganisationName <- Company
Customer.csv Contact SortName <- LastName, FirstName
Customer.csv Contact Email <- Email
Customer.csv Contact Phone <- Phone
Customer.csv ContactAddress ImportId <- CustomerId
Customer.csv ContactAddress ContactId <- CustomerId
Customer.csv ContactAddress Line1 <- Address
Customer.csv ContactAddress City <- City
Customer.csv ContactAddress State <- State
Customer.csv ContactAddress PostCode <- PostalCode
Customer.csv ContactAddress Country <- Country
Customer.csv ContactAddress IsPrimary <- true
Customer.csv ContactPoint ImportId <- CustomerId, $header
Customer.csv ContactPoint ContactId <- CustomerId
Customer.csv ContactPoint Type <- $header
Customer.csv ContactPoint Value <- $part
Customer.csv Client ImportId <- CustomerId
Customer.csv Client ContactId <- CustomerId
Customer.csv Client Number <- CustomerId
Customer.csv Client ResponsibleEmployeeId <- SupportRepId
Customer.csv Client Currency <- Country
Employee.csv Employee ImportId <- EmployeeId
Employee.csv Employee SortName <- LastName, FirstName
Employee.csv Employee FirstName <- FirstName
Employee.csv Employee LastName <- LastName
Employee.csv Employee Title <- Title
Employee.csv Employee ManagerId <- ReportsTo
Employee.csv Employee StartDate <- HireDate
Employee.csv Employee Email <- Email
Employee.csv Employee Phone <- Phone
Invoice.csv Invoice ImportId <- InvoiceId
Invoice.csv Invoice Number <- InvoiceId
Invoice.csv Invoice InvoiceDate <- InvoiceDate
Invoice.csv Invoice ClientId <- CustomerId
Invoice.csv Invoice ContactId <- CustomerId
Invoice.csv Invoice Total <- Total
Invoice.csv Invoice Currency <- USD
Invoice.csv Invoice BillingAddress <- BillingAddress, BillingCity, BillingState, BillingPostalCode, BillingCountry
InvoiceLine.csv InvoiceLine ImportId <- InvoiceLineId
InvoiceLine.csv InvoiceLine InvoiceId <- InvoiceId
InvoiceLine.csv InvoiceLine UnitPrice <- UnitPrice
InvoiceLine.csv InvoiceLine Quantity <- Quantity
InvoiceLine.csv InvoiceLine Total <- UnitPrice × Quantity
`, "", 0.8)
}

func TestSDS(t *testing.T) {
	t.Parallel()
	s, _ := schema.NewCatalogue().Lookup("oneroster-1.1")
	judge(t, s, real(t, "sds-100-users"), `
School.csv Org sourcedId <- SIS ID
School.csv Org name <- Name
School.csv Org type <- school
School.csv Org identifier <- School NCES_ID
Section.csv AcademicSession sourcedId <- Term SIS ID
Section.csv AcademicSession title <- Term Name
Section.csv AcademicSession type <- term
Section.csv AcademicSession startDate <- Term StartDate
Section.csv AcademicSession endDate <- Term EndDate
Section.csv AcademicSession schoolYear <- Term EndDate
Section.csv Course sourcedId <- Course SIS ID
Section.csv Course title <- Course Name
Section.csv Course courseCode <- Course Number
Section.csv Course orgSourcedId <- School SIS ID
Section.csv Course subjects <- Course Subject
Section.csv Class sourcedId <- SIS ID
Section.csv Class title <- Section Name
Section.csv Class classCode <- Section Number
Section.csv Class classType <- scheduled
Section.csv Class courseSourcedId <- Course SIS ID
Section.csv Class schoolSourcedId <- School SIS ID
Section.csv Class termSourcedIds <- Term SIS ID
Section.csv Class periods <- Periods
Section.csv Class subjects <- Course Subject
StudentEnrollment.csv Enrollment sourcedId <- Section SIS ID, SIS ID
StudentEnrollment.csv Enrollment classSourcedId <- Section SIS ID
StudentEnrollment.csv Enrollment userSourcedId <- SIS ID
StudentEnrollment.csv Enrollment schoolSourcedId <- Section SIS ID
StudentEnrollment.csv Enrollment role <- student
TeacherRoster.csv Enrollment sourcedId <- Section SIS ID, SIS ID
TeacherRoster.csv Enrollment classSourcedId <- Section SIS ID
TeacherRoster.csv Enrollment userSourcedId <- SIS ID
TeacherRoster.csv Enrollment schoolSourcedId <- Section SIS ID
TeacherRoster.csv Enrollment role <- teacher
Student.csv User sourcedId <- SIS ID
Student.csv User enabledUser <- Status
Student.csv User orgSourcedIds <- School SIS ID
Student.csv User role <- student
Student.csv User username <- Username
Student.csv User givenName <- First Name
Student.csv User middleName <- Middle Name
Student.csv User familyName <- Last Name
Student.csv User identifier <- Student Number
Student.csv User email <- Secondary Email
Student.csv User grades <- Grade
Student.csv Demographics sourcedId <- SIS ID
Student.csv Demographics birthDate <- Birthdate
Teacher.csv User sourcedId <- SIS ID
Teacher.csv User enabledUser <- Status
Teacher.csv User orgSourcedIds <- School SIS ID
Teacher.csv User role <- teacher
Teacher.csv User username <- Username
Teacher.csv User givenName <- First Name
Teacher.csv User middleName <- Middle Name
Teacher.csv User familyName <- Last Name
Teacher.csv User identifier <- Teacher Number
Teacher.csv User email <- Secondary Email
`, "Student.csv User password\nTeacher.csv User password\n", 0.8)
}

// TestLawFirm drafts a mapping of an export that no test data is like.
func TestLawFirm(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"tblCases.csv": "CaseRef;Client No;Case Title;Opened;Closed;Fee Earner\nM1;C1;Sale of land;01/02/2025;;AB\nM2;C2;Will;15/03/2025;30/06/2025;CD\n",
		"Clients_2026-11-22.csv": "Client No;Surname;Forename;E-mail Address;Addr1;Town;Zip\nC1;Smith;Ann;ann@example.com;1 High St;Leeds;LS1\n" +
			"C2;Jones;Bob;bob@example.com;2 Low St;York;YO1\n",
		"readme.bin": "\x00\x01\x02",
	}
	p := judge(t, schema.Efimis10(), texts(files, "tblCases.csv", "Clients_2026-11-22.csv", "readme.bin"), `
Clients_2026-11-22.csv Contact ImportId <- Client No
Clients_2026-11-22.csv Contact FirstName <- Forename
Clients_2026-11-22.csv Contact LastName <- Surname
Clients_2026-11-22.csv Contact Email <- E-mail Address
Clients_2026-11-22.csv Client ImportId <- Client No
Clients_2026-11-22.csv Client ContactId <- Client No
Clients_2026-11-22.csv ContactAddress City <- Town
`, "Clients_2026-11-22.csv ContactAddress ImportId\nClients_2026-11-22.csv ContactAddress ContactId\nClients_2026-11-22.csv ContactAddress PostCode\n"+
		"Clients_2026-11-22.csv ContactAddress Line1\nClients_2026-11-22.csv ContactPoint ContactId\nClients_2026-11-22.csv ContactPoint ImportId\n"+
		"Clients_2026-11-22.csv ContactPoint Type\nClients_2026-11-22.csv ContactPoint Value\n"+
		"tblCases.csv Matter ActingEmployeeId\ntblCases.csv Matter ClosedDate\ntblCases.csv Matter ImportId\ntblCases.csv Matter ClientId\ntblCases.csv Matter OpenDate\ntblCases.csv Matter OpenedDate\n", 0.8)
	if p.Clear || !strings.Contains(string(p.YAML), "Clients*.csv") {
		t.Errorf("clear: %v\n%s", p.Clear, p.YAML)
	}
}

// FuzzPropose makes sure that whatever a file's name, header and values are, the draft is a mapping or there is none.
func FuzzPropose(f *testing.F) {
	f.Add("Customer.csv", "CustomerId,First Name,E-mail\n1,a,b@c\n2,d,e@f\n")
	f.Add("a: b#.csv", "\"x\"\"y\n\",#,: \n1,2,3\n")
	f.Add("Matter.csv", "ImportId\tOpenDate\n1\t13/02/2026\n")
	s := schema.Efimis10()
	f.Fuzz(func(t *testing.T, name, text string) {
		p, err := suggest.Propose(t.Context(), s, texts(map[string]string{name: text}, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.YAML) == 0 {
			return
		}
		if _, err := mapping.Parse("draft.yaml", p.YAML, s); err != nil {
			t.Errorf("%v\n%s", err, p.YAML)
		}
	})
}
