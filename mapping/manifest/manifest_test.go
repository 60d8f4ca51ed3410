package manifest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/manifest"
	"dropline/schema"
)

const head = "propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,1.1\r\n"

func judged(t *testing.T, s *schema.Schema, text string, paths ...string) manifest.Verdict {
	t.Helper()
	m, err := manifest.Read(s, "manifest.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := mapping.New(s, nil, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := make([]manifest.File, len(paths))
	for i, p := range paths {
		files[i].Path = p
		files[i].Table, _ = mapper.TableFor(p)
	}
	return m.Judge(files)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	users := []string{"users.csv", "2026/orgs_1.CSV", "notes.csv"}
	cases := map[string]struct {
		text   string
		paths  []string
		modes  []manifest.Mode
		reason string // part of the refusal
		notes  []string
	}{
		"all is well": {
			text:  "\ufeff" + head + "file.users,bulk\r\nfile.orgs,delta\r\nfile.classes,absent\r\nsource.systemName,SIS\r\nsource.systemCode,\r\n",
			paths: users, modes: []manifest.Mode{manifest.Bulk, manifest.Delta, manifest.Unsaid},
		},
		"however it is written": {
			text:  "PropertyName , Value\n\"manifest.version\",\"1.0\"\nOneRoster.Version,1.1.0\nFile.Users,BULK\nfile.orgs*,Delta\n",
			paths: users, modes: []manifest.Mode{manifest.Bulk, manifest.Delta, manifest.Unsaid},
		},
		"without versions": {
			text: "propertyName,value\nfile.users,bulk\n", paths: users, modes: []manifest.Mode{manifest.Bulk, manifest.Unsaid, manifest.Unsaid},
			notes: []string{"it does not say manifest.version, which is taken to be 1.0", "it does not say oneroster.version, which is taken to be 1.1"},
		},
		"another version of the standard": {
			text: strings.Replace(head, "1.1", "1.2", 1), reason: `oneroster.version is "1.2", and the schema is oneroster-1.1: export version 1.1, or load it under the schema`,
		},
		"a version that begins alike": {text: strings.Replace(head, "1.1", "1.10", 1), reason: `oneroster.version is "1.10"`},
		"another form of manifest":    {text: strings.Replace(head, "1.0", "2.0", 1), reason: `manifest.version is "2.0", and only 1.0 is known`},
		"files that are not there": {
			text: head + "file.users,bulk\nfile.classes,delta\nfile.academicSessions,bulk\n", paths: users,
			modes: []manifest.Mode{manifest.Bulk, manifest.Unsaid, manifest.Unsaid}, reason: "it says that classes.csv and academicSessions.csv are in the delivery, and there is no such file",
		},
		"a word that is none": {text: head + "file.users,full\n", paths: users, modes: make([]manifest.Mode, 3), reason: `file.users is "full", and must be absent, bulk or delta`},
		"what is unknown": {
			text:  head + "file.roles,bulk\nfile.userProfiles,absent\nmood,good\n",
			notes: []string{"file.roles is bulk, but oneroster-1.1 has no such file: ignored", "mood is unknown and ignored"},
		},
		"there, though absent": {text: head + "file.users,absent\n", paths: users, modes: []manifest.Mode{manifest.Absent, manifest.Unsaid, manifest.Unsaid}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, schema.OneRoster11(), c.text, c.paths...)
			if len(c.modes) > 0 {
				if diff := cmp.Diff(c.modes, v.Modes); diff != "" {
					t.Error(diff)
				}
			}
			if diff := cmp.Diff(c.notes, v.Notes); diff != "" {
				t.Error(diff)
			}
			switch {
			case c.reason == "" && v.Refusal != nil:
				t.Errorf("refused: %v", v.Refusal)
			case c.reason != "" && (v.Refusal == nil || v.Refusal.Code != ingest.CodeManifest || !strings.Contains(v.Refusal.Message, c.reason)):
				t.Errorf("not refused for that %q: %v", c.reason, v.Refusal)
			}
		})
	}
}

func TestManifestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		"":                                ingest.CodeEmptyFile,
		"a,b\n1,2\n":                      ingest.CodeMissingColumn,
		"propertyName,value\n\"x,1\n":     ingest.CodeManifest,
		"propertyName,value\n,1\n":        ingest.CodeManifest,
		"propertyName,value\nx,1\nX,2\n":  ingest.CodeManifest,
		"propertyName,value\nx,1,2,3,4\n": ingest.CodeManifest,
		"propertyName,value\n" + strings.Repeat("x,1\n", 501): ingest.CodeManifest,
	} {
		_, err := manifest.Read(schema.OneRoster11(), "manifest.csv", strings.NewReader(text))
		refusal, ok := err.(*ingest.FileRefusal) //nolint:errorlint // it is returned as it is
		if !ok || refusal.Code != code {
			t.Errorf("%.40q: want %s, got %v", text, code, err)
		}
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bool{"manifest.csv": true, "2026/export.zip/Manifest.CSV": true, "manifests.csv": false, "manifest.csv/users.csv": false} {
		if got := manifest.Is(schema.OneRoster12(), file); got != want {
			t.Errorf("%s: %v", file, got)
		}
		if manifest.Is(schema.Efimis10(), file) {
			t.Errorf("%s: of a schema that has none", file)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	manifests := []string{"/inbox/manifest.csv", "/inbox/b.zip/manifest.csv"}
	for file, want := range map[string]int{
		"/inbox/users.csv": 0, "/inbox/b.zip/users.csv": 1, "/inbox/b.zip/deep/er/users.csv": 1, "/inbox/c/users.csv": 0, "/other/users.csv": -1, "users.csv": -1,
	} {
		if got := manifest.Scope(manifests, file); got != want {
			t.Errorf("%s: %d", file, got)
		}
	}
}

func TestRowsAreHeldToTheirMode(t *testing.T) {
	t.Parallel()
	const text = "sourcedId,status,dateLastModified,name,type\n1,active,2026-11-22T10:00:00Z,A,school\n2,,2026-11-22,B,school\n3,,,C,school\n4,,,,school\n"
	s := schema.OneRoster11()
	mapper, err := mapping.New(s, nil, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(mode manifest.Mode, text string) (codes, notes []string, err error) {
		reader, err := mapper.Open("orgs.csv", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		rows := manifest.NewRows(s, reader.Table(), mode, reader)
		for rows.Next() {
			code := "ok"
			if r := rows.Refused(); r != nil {
				code = r.Code + " " + r.Column + " of " + r.ImportID
			}
			codes = append(codes, code)
		}
		return codes, rows.Notes(), rows.Err()
	}
	codes, notes, _ := read(manifest.Bulk, text)
	if diff := cmp.Diff([]string{"ok", "ok", "ok", "required name of 4"}, codes); diff != "" {
		t.Error(diff)
	}
	if len(notes) != 2 || notes[1] != "2 rows have status or dateLastModified, which a bulk file should not" {
		t.Errorf("%q", notes)
	}
	codes, _, _ = read(manifest.Delta, text)
	if diff := cmp.Diff([]string{"ok", "required status of 2", "required status of 3", "required name of 4"}, codes); diff != "" {
		t.Error(diff)
	}
	codes, _, err = read(manifest.Absent, text)
	if refusal, ok := err.(*ingest.FileRefusal); len(codes) > 0 || !ok || refusal.Code != ingest.CodeManifest { //nolint:errorlint // it is returned as it is
		t.Errorf("%v %v", codes, err)
	}
	if codes, _, err = read(manifest.Absent, "sourcedId,name,type\n"); len(codes) > 0 || err != nil {
		t.Errorf("a file without rows is as good as absent: %v %v", codes, err)
	}
	if codes, notes, err = read(manifest.Unsaid, text); len(codes) != 4 || err != nil || len(notes) > 0 {
		t.Errorf("%v %v %q", codes, err, notes)
	}
}

// FuzzRead sees that no manifest brings it down, and that what it says of the files is one of the modes.
func FuzzRead(f *testing.F) {
	f.Add(head + "file.users,bulk\n")
	f.Add("propertyName,value\n\"a\n")
	f.Add("\xff\xfep\x00")
	f.Fuzz(func(t *testing.T, text string) {
		s := schema.OneRoster12()
		m, err := manifest.Read(s, "manifest.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		for _, mode := range m.Judge([]manifest.File{{Path: "users.csv", Table: s.Table("User")}}).Modes {
			if mode > manifest.Delta {
				t.Errorf("%d", mode)
			}
		}
	})
}
