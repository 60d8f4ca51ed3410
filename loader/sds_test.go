package loader_test

import (
	"os"
	"testing"

	"dropline/ingest"
)

// TestARosterOfSchoolDataSync goes through the example mapping: one file feeds three tables and is looked up in for a fourth.
func TestARosterOfSchoolDataSync(t *testing.T) {
	t.Parallel()
	h := newSchoolHouse(t, "oneroster-1.1")
	rules, err := os.ReadFile("../docs/examples/sds-oneroster-1.1.yaml")
	h.must(err)
	_, err = h.ledger.PutMapping(t.Context(), acme, rules, "test")
	h.must(err)
	roster := school{
		"School.csv": "SIS ID,Name,School Number,School NCES_ID\r\nS1,North,1,n-1\r\nS2,South,2,\r\n",
		"Section.csv": "SIS ID,School SIS ID,Section Name,Section Number,Term SIS ID,Term Name,Term StartDate,Term EndDate,Course SIS ID,Course Name,Course Number,Course Description,Course Subject,Periods,Status,\r\n" +
			"K1,S1,Algebra A,1,T1,Autumn,9/1/2026,12/20/2026,C1,Algebra,101,,Math,1,Active,\r\n" +
			"K2,S1,Algebra B,2,T1,Autumn,9/1/2026,12/20/2026,C1,Algebra,101,,Math,2,Active,\r\n" +
			"K3,S2,History A,3,T1,Autumn,9/1/2026,12/20/2026,C2,History,201,,History,3,Active,\r\n",
		"Student.csv": "SIS ID,School SIS ID,First Name,Last Name,Username,Password,Student Number,Middle Name,Grade,Status,Birthdate,Secondary Email\r\n" +
			"P1,S1,Ada,Lovelace,ada,x,7,,9,Active,4/13/2012,\r\nP2,S2,Bob,Bee,bob,x,8,,9,Inactive,,\r\n",
		"StudentEnrollment.csv": "Section SIS ID,SIS ID\r\nK1,P1\r\nK2,P1\r\nK3,P2\r\n",
		"Teacher.csv":           "SIS ID,School SIS ID,First Name,Last Name,Username,Teacher Number,Status,Middle Name,Secondary Email\r\nU1,S1,Tess,Teach,tess,1,Active,,\r\n",
		"TeacherRoster.csv":     "Section SIS ID,SIS ID\r\nK1,U1\r\nK3,U1\r\n",
	}
	imp := h.untilState(h.send("roster.zip", roster.zipped(t, "")), ingest.Staged)
	if imp.Rejected != 0 || imp.Staged != 2+1+2+3+2+1+3+1+2 {
		t.Fatalf("%d staged, %d refused: %s", imp.Staged, imp.Rejected, h.troubles(imp))
	}
	h.promoted(imp.ID)
	if n := h.count(`SELECT count(*) FROM production_acme.enrollment e JOIN production_acme."class" c ON c.id = e.class_sourced_id AND c.school_sourced_id = e.school_sourced_id`); n != 5 {
		t.Errorf("%d enrollments are of the school of their class", n)
	}
}
