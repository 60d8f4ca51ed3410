package schema_test

import (
	"strings"
	"testing"

	"dropline/schema"

	"github.com/google/go-cmp/cmp"
)

// marked are the columns with which every file but the manifest begins.
const marked = "sourcedId,status,dateLastModified,"

// rosterHeaders are the standard's headers of the files that both versions have alike.
var rosterHeaders = map[string]string{
	"academicSessions": "title,type,startDate,endDate,parentSourcedId,schoolYear",
	"orgs":             "name,type,identifier,parentSourcedId",
	"courses":          "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
	"classes":          "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
	"enrollments":      "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
	"demographics": "birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white," +
		"demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
	"resources":       "vendorResourceId,title,roles,importance,vendorId,applicationId",
	"classResources":  "title,classSourcedId,resourceSourcedId",
	"courseResources": "title,courseSourcedId,resourceSourcedId",
}

var rosterHeaders11 = map[string]string{
	"users":      "enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
	"categories": "title",
	"lineItems":  "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,gradingPeriodSourcedId,resultValueMin,resultValueMax",
	"results":    "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment",
}

var rosterHeaders12 = map[string]string{
	"users": "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier," +
		"preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
	"roles":                        "userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
	"userProfiles":                 "userSourcedId,profileType,vendorId,applicationId,description,credentialType,username,password",
	"categories":                   "title,weight",
	"lineItems":                    "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,academicSessionSourcedId,resultValueMin,resultValueMax,schoolSourcedId",
	"results":                      "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment,textScore,classSourcedId,inProgress,incomplete,late,missing",
	"scoreScales":                  "title,type,orgSourcedId,courseSourcedId,classSourcedId,scoreScaleValue",
	"lineItemScoreScales":          "title,lineItemSourcedId,scoreScaleSourcedId",
	"resultScoreScales":            "title,resultSourcedId,scoreScaleSourcedId",
	"lineItemLearningObjectiveIds": "lineItemSourcedId,source,learningObjectiveId",
	"resultLearningObjectiveIds":   "resultSourcedId,source,learningObjectiveId,score,textScore",
	"userResources":                "userSourcedId,orgSourcedId,classSourcedId,resourceSourcedId",
}

// TestOneRosterHeaders holds the templates to the standard's files and the order of their columns.
func TestOneRosterHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema *schema.Schema
		own    map[string]string
	}{{schema.OneRoster11(), rosterHeaders11}, {schema.OneRoster12(), rosterHeaders12}} {
		want, got := map[string]string{}, map[string]string{}
		for _, headers := range []map[string]string{rosterHeaders, c.own} {
			for name, header := range headers {
				want[name+".csv"] = marked + header + "\n"
			}
		}
		for _, table := range c.schema.Tables {
			var b strings.Builder
			if err := table.WriteTemplate(&b); err != nil {
				t.Fatal(err)
			}
			got[table.TemplateName()] = b.String()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", c.schema.ID(), diff)
		}
	}
}

// TestOneRosterKinds sees that GUIDs are references, and that every enumeration takes values of the sender's own.
func TestOneRosterKinds(t *testing.T) {
	t.Parallel()
	for _, s := range []*schema.Schema{schema.OneRoster11(), schema.OneRoster12()} {
		for _, e := range s.Enums {
			if e.Open != "ext:" {
				t.Errorf("%s: %s is open to %q", s.ID(), e.Name, e.Open)
			}
		}
		for _, table := range s.Tables {
			if table.DeletedBy() == nil || table.Modified() == nil {
				t.Errorf("%s: %s does not say when a row is changed or deleted", s.ID(), table.Name)
			}
			for _, c := range table.Columns {
				switch {
				case strings.HasSuffix(c.Name, "SourcedIds") && !c.IsReferenceList():
					t.Errorf("%s: %s.%s is no list of references", s.ID(), table.Name, c.Name)
				case strings.HasSuffix(c.Name, "SourcedId") && c.Kind != schema.Reference:
					t.Errorf("%s: %s.%s is no reference", s.ID(), table.Name, c.Name)
				}
			}
		}
	}
}
