package loader_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"dropline/ingest"

	"github.com/google/go-cmp/cmp"
)

// school is a delivery of a school: its files by name.
type school map[string]string

// newSchool11 is a small school's export of OneRoster 1.1 with a manifest that says bulk of each of its files.
func newSchool11() school {
	s := school{
		"orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\r\n" +
			"D1,,,Bay District,district,NCES-1,\r\nS1,,,North School,school,,D1\r\nS2,,,South School,school,,D1\r\n",
		"academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\r\n" +
			"Y27,,,2026-2027,schoolYear,2026-09-01,2027-07-15,,2027\r\nT1,,,Autumn,term,2026-09-01,2026-12-20,Y27,2027\r\nT2,,,Spring,ext:trimester,2027-01-05,2027-07-15,Y27,2027\r\n",
		"courses.csv": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\r\n" +
			"C1,,,Y27,Algebra,MA1,\"09,10\",D1,Mathematics,02\r\n",
		"classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\r\n" +
			"K1,,,\"Algebra, group 1\",09,C1,MA1-1,scheduled,Room 1,S1,\"T1,T2\",Mathematics,02,\"1,3\"\r\nK2,,,Algebra 2,09,C1,MA1-2,scheduled,,S2,T1,,,\r\n",
		"users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\r\n",
		"enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\r\n" +
			"E-T,,,K1,S1,T-1,teacher,true,,\r\n",
		"demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white," +
			"demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus\r\n" +
			"P-1,,,2012-12-10,female,false,true,,,,,false,US,CA,Oakland,\r\n",
		"categories.csv": "sourcedId,status,dateLastModified,title\r\nG1,,,Homework\r\n",
		"lineItems.csv": "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,categorySourcedId,gradingPeriodSourcedId,resultValueMin,resultValueMax\r\n" +
			"L1,,,Sums,,2026-10-01,2026-10-08,K1,G1,T1,0.0,100.0\r\n",
		"results.csv": "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment\r\n" +
			"R1,,,L1,P-1,fully graded,83.33333333333333,2026-10-12,\r\n",
		"resources.csv": "sourcedId,status,dateLastModified,vendorResourceId,title,roles,importance,vendorId,applicationId\r\n" +
			"B1,,,isbn-1,Algebra for all,\"student,teacher\",primary,,\r\n",
		"classResources.csv":  "sourcedId,status,dateLastModified,title,classSourcedId,resourceSourcedId\r\nCR1,,,,K1,B1\r\n",
		"courseResources.csv": "sourcedId,status,dateLastModified,title,courseSourcedId,resourceSourcedId\r\nOR1,,,,C1,B1\r\n",
	}
	s["users.csv"] += "T-1,,,true,\"S1,S2\",teacher,tess,,Tess,Teach,,,tess@school.example,,,,,\r\nA-1,,,true,S1,parent,pat,,Pat,Pupil,,,,,,P-1,,\r\n"
	for i := range 12 {
		s["users.csv"] += fmt.Sprintf("P-%d,,,true,S1,student,pupil%d,\"{LDAP:%d},{LTI:%d}\",Pip,Pupil,,%d,,,,A-1,09,\r\n", i, i, i, i, 1000+i)
		s["enrollments.csv"] += fmt.Sprintf("E-%d,,,K1,S1,P-%d,student,false,2026-09-01,2027-07-15\r\n", i, i)
	}
	s["manifest.csv"] = s.manifest("1.1", "bulk")
	return s
}

// manifest says the same mode of each file.
func (s school) manifest(version, mode string) string {
	text := "propertyName,value\r\nmanifest.version,1.0\r\noneroster.version," + version + "\r\n"
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if name != "manifest.csv" {
			text += "file." + strings.TrimSuffix(name, ".csv") + "," + mode + "\r\n"
		}
	}
	return text + "source.systemName,Test SIS\r\n"
}

// zipped is the delivery as an archive, below a folder if there is one.
func (s school) zipped(t *testing.T, folder string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		w, err := z.Create(folder + name)
		if err == nil {
			_, err = w.Write([]byte(s[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// newSchoolHouse is a house whose tenant has a schema of OneRoster.
func newSchoolHouse(t *testing.T, id string) *house {
	t.Helper()
	h := newHouse(t, 0.1)
	_, err := h.pool.Exec(t.Context(), "UPDATE dropline.tenants SET schema_id = $1", id)
	h.must(err)
	h.work()
	return h
}

func (h *house) promoted(id ingest.ImportID) ingest.Import {
	h.Helper()
	_, err := h.ledger.RequestPromotion(h.Context(), acme, id, "test", "")
	h.must(err)
	return h.until(id, "promoted", func(i ingest.Import) bool {
		if i.State == ingest.Staged && i.Error != "" {
			h.Fatalf("not promoted: %s", i.Error)
		}
		return i.State == ingest.Promoted
	})
}

// troubles are what is wrong with an import, for a failing test.
func (h *house) troubles(imp ingest.Import) string {
	h.Helper()
	rejects, _, err := h.ledger.SampleRejects(h.Context(), imp.ID, 20)
	h.must(err)
	out := imp.Error
	for _, f := range imp.Files {
		if f.Error != "" {
			out += "\n" + f.Name() + ": " + f.Error
		}
	}
	for _, r := range rejects {
		out += fmt.Sprintf("\n%s line %d %s: %s", r.File, r.Line, r.Code, r.Message)
	}
	return out
}

func (h *house) count(query string) (n int) {
	h.Helper()
	h.must(h.pool.QueryRow(h.Context(), query).Scan(&n))
	return n
}

// TestASchoolsExport: a school's zip loads with no mapping at all; what it no longer has goes with the next, a delta changes what it
// names, and a rollback puts things back.
func TestASchoolsExport(t *testing.T) {
	t.Parallel()
	h := newSchoolHouse(t, "oneroster-1.1")
	first := newSchool11()
	imp := h.untilState(h.send("export.zip", first.zipped(t, "")), ingest.Staged)
	if imp.Rejected != 0 || imp.Staged != 3+3+1+2+14+13+1+1+1+1+1+1+1 || len(imp.Tables) != 13 {
		t.Fatalf("%d staged, %d refused, %d tables: %s", imp.Staged, imp.Rejected, len(imp.Tables), h.troubles(imp))
	}
	for _, f := range imp.Files {
		switch {
		case f.Member == "manifest.csv":
			if f.State != ingest.FileUsed || len(f.Notes) > 0 {
				t.Errorf("the manifest is %s: %q", f.State, f.Notes)
			}
		case f.Member != "" && (f.State != ingest.FileLoaded || len(f.Ignored) > 0 || len(f.Notes) != 1 || !strings.HasPrefix(f.Notes[0], "the manifest says bulk")):
			t.Errorf("%s is %s: %q %q", f.Member, f.State, f.Notes, f.Ignored)
		}
	}
	h.promoted(imp.ID)
	if n := h.count(`SELECT count(*) FROM production_acme."class" c JOIN production_acme.academic_session s ON s.id = ANY (c.term_sourced_ids)`); n != 3 {
		t.Errorf("%d terms of classes are found", n)
	}
	if n := h.count(`SELECT count(*) FROM production_acme.demographics d JOIN production_acme."user" u ON u.id = d.user_sourced_id`); n != 1 {
		t.Error("the demographics are nobody's")
	}
	if n := h.count(`SELECT count(*) FROM production_acme.academic_session WHERE type = 'ext:trimester'`); n != 1 {
		t.Error("a value of the school's own is lost")
	}

	second := newSchool11() // a pupil has left, and with the pupil the enrollment
	for _, file := range []string{"users.csv", "enrollments.csv"} {
		lines := strings.SplitAfter(second[file], "\r\n")
		second[file] = strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "P-7,") }), "")
	}
	imp = h.promoted(h.untilState(h.send("export.zip", second.zipped(t, "")), ingest.Staged).ID)
	if want := (ingest.PromotionCounts{Unchanged: 41, Deleted: 2}); imp.Promotion.Counts != want {
		t.Errorf("%+v", imp.Promotion.Counts)
	}
	_, err := h.ledger.RequestRollback(t.Context(), acme, imp.ID, "test")
	h.must(err)
	h.untilState(imp.ID, ingest.RolledBack)
	if n := h.count(`SELECT count(*) FROM production_acme."user" WHERE sourced_id = 'P-7'`); n != 1 {
		t.Error("a rollback does not bring the pupil back")
	}

	delta := school{
		"enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\r\n" +
			"E-3,tobedeleted,2026-11-20T09:00:00.000Z,K1,S1,P-3,student,,,\r\nE-4,active,2026-11-20T09:00:00.000Z,K2,S2,P-4,student,,,\r\n" +
			"E-5,,,K2,S2,P-5,student,,,\r\n" + strings.Repeat("", 1),
	}
	for i := range 10 {
		delta["enrollments.csv"] += fmt.Sprintf("N-%d,active,2026-11-20T09:00:00.000Z,K2,S2,P-%d,student,,,\r\n", i, i)
	}
	delta["manifest.csv"] = delta.manifest("1.1", "delta")
	imp = h.untilState(h.send("delta.zip", delta.zipped(t, "export/")), ingest.Staged)
	if got := h.troubles(imp); !strings.Contains(got, "status, dateLastModified must be given, as the manifest says that the file is a delta") {
		t.Errorf("%s", got)
	}
	imp = h.promoted(imp.ID)
	if want := (ingest.PromotionCounts{Inserted: 10, Updated: 1, Deleted: 1}); imp.Promotion.Counts != want {
		t.Errorf("%+v", imp.Promotion.Counts)
	}
}

func TestManifestsThatAreNotKept(t *testing.T) {
	t.Parallel()
	h := newSchoolHouse(t, "oneroster-1.1")
	type file struct {
		State ingest.FileState
		Code  string
	}
	for name, c := range map[string]struct {
		change func(s school)
		want   map[string]file // of the files that are not loaded
		says   string
	}{
		"another version": {
			func(s school) { s["manifest.csv"] = s.manifest("1.2", "bulk") },
			map[string]file{"manifest.csv": {ingest.FileRefused, ingest.CodeManifest}},
			"under the schema of that version",
		},
		"a file that is missing": {
			func(s school) { delete(s, "courseResources.csv") },
			map[string]file{"manifest.csv": {ingest.FileRefused, ingest.CodeManifest}},
			"courseResources.csv is in the delivery, and there is no such file",
		},
		"a file that is there though absent": {
			func(s school) {
				s["manifest.csv"] = strings.Replace(s["manifest.csv"], "file.results,bulk", "file.results,absent", 1)
			},
			map[string]file{"manifest.csv": {State: ingest.FileUsed}, "results.csv": {ingest.FileRefused, ingest.CodeManifest}},
			"says that the file is absent, and it has rows",
		},
	} {
		s := newSchool11()
		c.change(s)
		imp := h.untilState(h.send(strings.ReplaceAll(name, " ", "_")+".zip", s.zipped(t, "")), ingest.Rejected)
		got := map[string]file{}
		for _, f := range imp.Files {
			if f.Member != "" && f.State != ingest.FileLoaded {
				got[f.Member] = file{f.State, f.Code}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !strings.Contains(h.troubles(imp), c.says) {
			t.Errorf("%s: %s", name, h.troubles(imp))
		}
	}
}

// TestFilesWithoutAManifest: they are loaded, and nothing is deleted for not being among them.
func TestFilesWithoutAManifest(t *testing.T) {
	t.Parallel()
	h := newSchoolHouse(t, "oneroster-1.1")
	s := newSchool11()
	delete(s, "manifest.csv")
	h.promoted(h.untilState(h.send("all.zip", s.zipped(t, "")), ingest.Staged).ID)
	imp := h.untilState(h.send("orgs.csv", "sourcedId,name,type\nS3,West School,school\n"), ingest.Staged)
	if notes := imp.Files[0].Notes; len(notes) != 1 || !strings.HasPrefix(notes[0], "no manifest came with the file") {
		t.Errorf("%q", notes)
	}
	if imp = h.promoted(imp.ID); imp.Promotion.Counts != (ingest.PromotionCounts{Inserted: 1}) {
		t.Errorf("%+v", imp.Promotion.Counts)
	}
}

// TestAReferenceOfAListIsNamed as the file has it, and the value is the list as received.
func TestAReferenceOfAListIsNamed(t *testing.T) {
	t.Parallel()
	h := newSchoolHouse(t, "oneroster-1.1")
	s := newSchool11()
	s["users.csv"] += "X,,,true,\"S1, S9 ,S2\",student,xan,,Xan,X,,,,,,,,\r\n"
	imp := h.untilState(h.send("export.zip", s.zipped(t, "")), ingest.Staged)
	rejects, _, err := h.ledger.SampleRejects(t.Context(), imp.ID, 10)
	h.must(err)
	if len(rejects) != 1 || rejects[0].Code != ingest.CodeMissingRef || rejects[0].Column != "orgSourcedIds" || rejects[0].Value != "S1, S9 ,S2" ||
		!strings.Contains(rejects[0].Message, "names a Org (S9) that is neither in this import") {
		t.Errorf("%+v", rejects)
	}
	// Its row may be one of those that production has: no user is deleted for missing.
	h.promoted(imp.ID)
	s["users.csv"] = strings.Replace(s["users.csv"], "P-11,", "P-12,", 1)
	s["enrollments.csv"] = strings.Replace(s["enrollments.csv"], "P-11,", "P-12,", 1)
	if imp = h.promoted(h.untilState(h.send("again.zip", s.zipped(t, "")), ingest.Staged).ID); imp.Promotion.Counts.Deleted != 0 {
		t.Errorf("%+v", imp.Promotion.Counts)
	}
}

// TestASchoolsExport12 loads an export of OneRoster 1.2, where roles and profiles are files of their own.
func TestASchoolsExport12(t *testing.T) {
	t.Parallel()
	h := newSchoolHouse(t, "oneroster-1.2")
	s := newSchool11()
	s["users.csv"] = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier," +
		"preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\r\n"
	s["roles.csv"] = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\r\n"
	for i := range 12 {
		s["users.csv"] += fmt.Sprintf("P-%d,,,true,pupil%d,,Pip,Pupil,,,,,,,09,,m-%d,,,,S1,they/them\r\n", i, i, i)
		s["roles.csv"] += fmt.Sprintf("RP-%d,,,P-%d,primary,student,,,S1,\r\n", i, i)
	}
	s["users.csv"] += "T-1,,,true,tess,,Tess,Teach,,,,,,,,,,,,,S1,\r\n"
	s["roles.csv"] += "RT-1,,,T-1,primary,teacher,2026-09-01,,S1,UP-1\r\nRT-2,,,T-1,secondary,siteAdministrator,,,S2,\r\n"
	s["userProfiles.csv"] = "sourcedId,status,dateLastModified,userSourcedId,profileType,vendorId,applicationId,description,credentialType,username,password\r\nUP-1,,,T-1,LMS,v,a,,username,tess,\r\n"
	s["lineItems.csv"] = "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,categorySourcedId,academicSessionSourcedId,resultValueMin,resultValueMax,schoolSourcedId\r\n" +
		"L1,,,Sums,,2026-10-01,2026-10-08,K1,G1,T1,0.0,100.0,S1\r\n"
	s["scoreScales.csv"] = "sourcedId,status,dateLastModified,title,type,orgSourcedId,courseSourcedId,classSourcedId,scoreScaleValue\r\nSC1,,,Letters,alpha,S1,C1,K1,\"{A:90-100},{B:80-89}\"\r\n"
	s["lineItemScoreScales.csv"] = "sourcedId,status,dateLastModified,title,lineItemSourcedId,scoreScaleSourcedId\r\nLS1,,,,L1,SC1\r\n"
	s["resultScoreScales.csv"] = "sourcedId,status,dateLastModified,title,resultSourcedId,scoreScaleSourcedId\r\nRS1,,,,R1,SC1\r\n"
	s["lineItemLearningObjectiveIds.csv"] = "sourcedId,status,dateLastModified,lineItemSourcedId,source,learningObjectiveId\r\nLO1,,,L1,case,urn:uuid:1\r\n"
	s["resultLearningObjectiveIds.csv"] = "sourcedId,status,dateLastModified,resultSourcedId,source,learningObjectiveId,score,textScore\r\nRO1,,,R1,ext:state,x,1,\r\n"
	s["userResources.csv"] = "sourcedId,status,dateLastModified,userSourcedId,orgSourcedId,classSourcedId,resourceSourcedId\r\nUR1,,,P-1,S1,K1,B1\r\n"
	s["manifest.csv"] = s.manifest("1.2.1", "bulk")
	imp := h.untilState(h.send("export.zip", s.zipped(t, "")), ingest.Staged)
	if imp.Rejected != 0 || len(imp.Tables) != 21 {
		t.Fatalf("%d tables, %d refused: %s", len(imp.Tables), imp.Rejected, h.troubles(imp))
	}
	h.promoted(imp.ID)
	if n := h.count(`SELECT count(*) FROM production_acme.role r JOIN production_acme.user_profile p ON p.id = r.user_profile_sourced_id`); n != 1 {
		t.Errorf("%d roles have profiles", n)
	}
}
