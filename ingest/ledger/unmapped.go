package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// Unmapped is an import whose files are not understood, and what is proposed for them.
type Unmapped struct {
	Files       []ingest.ImportFile
	Reports     []Report
	Error, Hint string
	// Adopt is the proposed mapping where it is to be taken into use without being asked; nil where it waits for somebody.
	Adopt []byte
}

// ProposalReport and ProposalData are reports of an import for which a mapping was proposed: the mapping file, and all that is
// known of it.
const (
	ProposalReport = "proposal.yaml"
	ProposalData   = "proposal.json"
)

// RecordUnmapped takes an import from loading to unmapped, where it waits for a mapping. Its files stay in the inbox; its reports go
// into the tree. If the proposal is adopted it becomes the tenant's mapping, and the import is queued again under it; so it is if
// somebody stored a mapping meanwhile. Conflict if the import is no longer being loaded by that attempt.
func (l *Ledger) RecordUnmapped(ctx context.Context, id ingest.ImportID, attempt int, u Unmapped) (ingest.Import, error) {
	var imp ingest.Import
	err := l.inTx(ctx, "ledger.RecordUnmapped", func(tx pgx.Tx) error {
		if err := lockInboxOf(ctx, tx, id); err != nil {
			return err
		}
		now := l.now()
		tag, err := tx.Exec(ctx, `UPDATE dropline.imports SET state = 'unmapped', finished_at = $3, bytes_read = 0, records_read = 0,
			staged = 0, rejected = 0, error = $4, hint = $5 WHERE id = $1 AND attempt = $2 AND state = 'loading'`,
			id, attempt, now, text(u.Error), text(u.Hint))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return refusal(ctx, tx, id, attempt)
		}
		if err := saveFiles(ctx, tx, id, u.Files); err != nil {
			return err
		}
		if imp, err = readImport(ctx, tx, "", id); err != nil {
			return err
		}
		if err := addReports(ctx, tx, imp, Outcome{Reports: u.Reports}, now); err != nil {
			return err
		}
		if err := l.adopt(ctx, tx, imp, u.Adopt); err != nil {
			return err
		}
		imp, err = readImport(ctx, tx, "", id)
		return err
	})
	if err != nil {
		return ingest.Import{}, err
	}
	return imp, nil
}

// adopt stores a proposed mapping, unless the tenant has one by now, and queues what waits for one.
func (l *Ledger) adopt(ctx context.Context, tx pgx.Tx, imp ingest.Import, yaml []byte) error {
	m, err := latestMapping(ctx, tx, imp.Tenant)
	if err != nil || m.Version == 0 && yaml == nil {
		return err
	}
	if m.Version == 0 {
		if m, err = l.addMapping(ctx, tx, m, yaml, "proposal for "+string(imp.ID)); err != nil {
			return err
		}
	}
	return l.queueUnmapped(ctx, tx, imp.Tenant, m.Version)
}

// queueUnmapped takes a tenant's unmapped imports back to queued, oldest first, under a version of its mapping.
func (l *Ledger) queueUnmapped(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, version int) error {
	rows, err := tx.Query(ctx, `WITH waiting AS (UPDATE dropline.imports SET state = 'queued', mapping_version = $2, finished_at = NULL,
			lapsed_at = NULL, error = '', hint = '' WHERE tenant = $1 AND state = 'unmapped' RETURNING id, seq)
		SELECT id FROM waiting ORDER BY seq`, tenant, version)
	if err != nil {
		return err
	}
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[ingest.ImportID])
	if err != nil {
		return err
	}
	for _, id := range waiting {
		if err := l.enqueue(ctx, tx, id, ingest.LoadArgs{Import: id}); err != nil {
			return err
		}
	}
	return nil
}
