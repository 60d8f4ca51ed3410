package loader_test

import (
	"testing"

	"dropline/ingest"
)

// TestAStagedImportThatCannotBePromotedIsGivenUp: what its rows refer to was rolled back, and what brings it again comes after it,
// so it would keep all that follows out of production for good.
func TestAStagedImportThatCannotBePromotedIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.work()
	promote := func(id ingest.ImportID) error {
		_, err := h.ledger.RequestPromotion(t.Context(), acme, id, "test", "")
		return err
	}
	const contact = "ImportId,Type,LastName\nC-1,Person,Smith\n"
	first := h.send("Contacts.csv", contact)
	h.untilState(first, ingest.Staged)
	second := h.send("ContactPoints.csv", "ImportId,ContactId,Type,Value\nP-1,C-1,Phone,1234\n")
	h.untilState(second, ingest.Staged)
	h.must(promote(first))
	h.untilState(first, ingest.Promoted)
	_, err := h.ledger.RequestRollback(t.Context(), acme, first, "test")
	h.must(err)
	h.untilState(first, ingest.RolledBack)
	h.must(promote(second))
	h.until(second, "staged again", func(i ingest.Import) bool { return i.State == ingest.Staged && i.Error != "" })

	third := h.send("Contacts.csv", contact)
	h.untilState(third, ingest.Staged)
	if err := promote(third); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("promoted past an older staged import: %v", err)
	}
	_, err = h.ledger.Cancel(t.Context(), acme, second, "test")
	h.must(err)
	h.must(promote(third))
	h.untilState(third, ingest.Promoted)

	_, err = h.ledger.Retry(t.Context(), acme, second, "test")
	h.must(err)
	h.untilState(second, ingest.Staged)
	h.must(promote(second))
	if imp := h.untilState(second, ingest.Promoted); imp.Promotion.Counts.Inserted != 1 {
		t.Errorf("promoted: %+v", imp.Promotion)
	}
}
