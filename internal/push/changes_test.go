package push_test

import (
	"fmt"
	"strings"
	"testing"

	"dropline/internal/push"
)

// changed runs a push of what has changed, and returns from where the contacts and the matters were read, and the remarks.
func (s *site) changed() (contacts, matters push.Relation, notes string) {
	s.t.Helper()
	s.config.Changes = true
	r, err := push.Run(s.t.Context(), s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, rel := range r.Relations {
		switch rel.Table {
		case "Contact":
			contacts = rel
		case "Matter":
			matters = rel
		}
	}
	return contacts, matters, strings.Join(r.Notes, "; ")
}

// touch changes a contact.
func (s *site) touch(round int) {
	s.t.Helper()
	err := s.sql.Change("Contact", func(rows [][]any) [][]any {
		for i, value := range rows[0] {
			if text, ok := value.(string); ok && i > 0 && len(text) > 3 {
				rows[0][i] = fmt.Sprint(text[:3], round)
				return rows
			}
		}
		s.t.Fatal("there is nothing to change")
		return rows
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestChangesGoOnFromWhatWasAccepted: a mark moves with what was staged without a refused row, and with nothing else.
func TestChangesGoOnFromWhatWasAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := push.Run(t.Context(), s.config); err != nil {
		t.Fatal(err)
	}
	first := s.server.imports["import_1"]
	for i := range first.Files {
		if strings.Contains(first.Files[i].Path, "/Matter/") {
			first.Files[i].RowsRejected = 1
		}
	}
	s.touch(1)
	contacts, matters, _ := s.changed()
	base := contacts.Since
	if base == "" || contacts.Rows != 1 {
		t.Errorf("the contacts after a change: %+v", contacts)
	}
	if matters.Since != "" || matters.Rows == 0 {
		t.Errorf("the matters, of which a row was refused: %+v", matters)
	}
	for round, state := range []string{"queued", "rejected", "failed"} {
		s.server.imports[fmt.Sprint("import_", round+2)].State = state
		s.touch(round + 2)
		contacts, _, notes := s.changed()
		if contacts.Since != base || contacts.Rows != 1 || !strings.Contains(notes, state) {
			t.Errorf("after one that is %s: %+v, not since %s; %s", state, contacts, base, notes)
		}
	}
	s.touch(9)
	contacts, matters, _ = s.changed()
	if contacts.Since <= base || contacts.Rows != 1 || matters.Since == "" || matters.Files != 0 {
		t.Errorf("after one that was staged: %+v, %+v", contacts, matters)
	}
	first.State = "rolled_back"
	contacts, _, notes := s.changed()
	if contacts.Since != "" || !strings.Contains(notes, "import_1") {
		t.Errorf("after the first was taken back: %+v, %s", contacts, notes)
	}
}
