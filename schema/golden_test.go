package schema_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dropline/schema"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds what is derived from the embedded definition against files that people can read in a review.
func TestGolden(t *testing.T) {
	t.Parallel()
	s := schema.Efimis10()
	workItem := s.Table("WorkItem")
	roster := schema.OneRoster11()
	class := roster.Table("Class")
	for name, write := range map[string]func(io.Writer) error{
		"OneRoster-1.1.sql":          roster.WriteTSQL,
		"OneRoster-1.1.postgres.sql": func(w io.Writer) error { return roster.WritePostgresDDL(w, "staging", "production") },
		"OneRoster-1.1.json":         roster.WriteJSON,
		"OneRoster-1.2.md":           schema.OneRoster12().WriteReferenceMarkdown,
		"Class.html":                 class.WriteReferenceHTML,
		"classes.csv":                class.WriteTemplate,
		"demographics.csv":           roster.Table("Demographics").WriteTemplate,
		"Efimis-1.0.sql":             s.WriteTSQL,
		"Efimis-1.0.postgres.sql":    func(w io.Writer) error { return s.WritePostgresDDL(w, "staging", "production") },
		"Efimis-1.0.json":            s.WriteJSON,
		"Efimis-1.0.md":              s.WriteReferenceMarkdown,
		"index.md":                   s.WriteIndexMarkdown,
		"WorkItem.md":                workItem.WriteReferenceMarkdown,
		"WorkItem.html":              workItem.WriteReferenceHTML,
		"index.html":                 s.WriteIndexHTML,
		"WorkItem.csv":               workItem.WriteTemplate,
		"grants.sql":                 grantGolden(schema.GrantOptions{Database: "Practice"}),
		"grants.azure.sql":           grantGolden(schema.GrantOptions{Azure: true}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := written(t, write)
			if again := written(t, write); again != got {
				t.Error("written twice, it differs")
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("differs from %s (go test -update writes it anew):\n%s", path, diff)
			}
		})
	}
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCommentsCannotBeBrokenOutOf(t *testing.T) {
	t.Parallel()
	s := parse(t, strings.Replace(minimal, "description: A thing", `description: "a\nDROP TABLE x;\u2028GO $(y) */"`, 1))
	for line := range strings.SplitSeq(written(t, s.WriteTSQL), "\n") {
		if strings.Contains(line, "DROP") && !strings.HasPrefix(line, "--") || strings.HasPrefix(line, "GO") || strings.Contains(line, "$(") {
			t.Errorf("escaped: %q", line)
		}
	}
}

var anchor = regexp.MustCompile(`href="#([^"]+)"`)

func TestReferenceHTMLStandsAlone(t *testing.T) {
	t.Parallel()
	s := schema.Efimis10()
	text := written(t, s.WriteReferenceHTML)
	for _, m := range anchor.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(text, `id="`+m[1]+`"`) {
			t.Errorf("a link leads nowhere: #%s", m[1])
		}
	}
	for _, table := range s.Tables {
		page := written(t, table.WriteReferenceHTML)
		for _, c := range table.Columns {
			if !strings.Contains(page, "<code>"+c.Name+"</code>") {
				t.Errorf("the page of %s lacks %s", table.Name, c.Name)
			}
			if c.References != nil && !strings.Contains(page, `href="`+c.References.Name+`.html"`) {
				t.Errorf("the page of %s does not link to %s", table.Name, c.References.Name)
			}
		}
		for _, c := range table.Checks {
			if !strings.Contains(page, c.Name) {
				t.Errorf("the page of %s lacks the check %s", table.Name, c.Name)
			}
		}
		text += page
	}
	for _, outside := range []string{"http://", "https://", "<script", "<link", "@import", "url("} {
		if strings.Contains(text, outside) {
			t.Errorf("needs something from elsewhere: %s", outside)
		}
	}
}

func TestReferenceHTMLEscapes(t *testing.T) {
	t.Parallel()
	s := parse(t, strings.Replace(minimal, "description: A thing", `description: "<script>alert(1)</script>|x"`, 1))
	if text := written(t, s.WriteReferenceHTML); strings.Contains(text, "<script>") {
		t.Error("a description is not escaped")
	}
	if text := written(t, s.WriteReferenceMarkdown); strings.Contains(text, "<script>") {
		t.Error("a description is not escaped in Markdown")
	}
}
