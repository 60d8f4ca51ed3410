package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"dropline/ingest"
	"dropline/ingest/ledger"
	"dropline/mapping"
	"dropline/mapping/suggest"
	"dropline/mapping/unpack"
	"dropline/schema"
)

// maxProposed is how many files of an import are looked at for a proposal: the head of each is read, and an export has fewer kinds
// of files.
const maxProposed = 200

// maxProposals is how often a proposal is asked for while an import is loaded: once, and again where a file is found out to be an
// archive on the way, and so more files have come to light.
const maxProposals = 3

// Propose drafts a mapping for files, as suggest.Propose does.
type Propose func(ctx context.Context, s *schema.Schema, files []suggest.File) (*suggest.Proposal, error)

// proposed is what was proposed for the files of an import, of which there were so many then.
type proposed struct {
	*suggest.Proposal
	files int
	times int // that one was asked for
}

// Proposed is what is kept beside an import that waits for a mapping, as JSON.
type Proposed struct {
	Mapping string             `json:"mapping"` // the mapping file
	Clear   bool               `json:"clear"`   // it leaves nothing open
	Lines   []suggest.Line     `json:"lines"`
	Open    []suggest.Question `json:"open"`
}

// errUnmapped ends an attempt whose import has been recorded as unmapped, or queued again under the mapping that was proposed.
var errUnmapped = errors.New("the import waits for a mapping")

// propose looks, before any row is read, for files whose names say nothing, where the tenant has no mapping. If one can be proposed
// for such a file, the import waits for it.
func (r *run) propose(ctx context.Context) error {
	if r.imp.MappingVersion != 0 {
		return nil
	}
	for i := range r.imp.Files {
		f := &r.imp.Files[i]
		if f.State != ingest.FileWaiting || f.Relation != "" || isPushed(f.Path) {
			continue
		}
		if _, refusal := r.mapper.TableFor(inboxPath(f.Name())); refusal != nil {
			if err := r.proposeFor(ctx, f, refusal.Code, refusal.Message); err != nil {
				return err
			}
		}
	}
	return nil
}

// proposeForRefused is propose for a file that was refused when it was read: its name says what it is, but not its header.
func (r *run) proposeForRefused(ctx context.Context, index int) error {
	f := &r.imp.Files[index]
	if f.State != ingest.FileRefused || f.Relation != "" || isPushed(f.Path) {
		return nil
	}
	return r.proposeFor(ctx, f, f.Code, f.Error)
}

// proposeFor asks for a proposal, once for all files, and stops the attempt with errUnmapped if it says what the file is.
func (r *run) proposeFor(ctx context.Context, f *ingest.ImportFile, code, message string) error {
	if r.imp.MappingVersion != 0 || code != ingest.CodeUnknownTable && code != ingest.CodeMissingColumn {
		return nil
	}
	if r.proposed.files != len(r.imp.Files) && r.proposed.times < maxProposals {
		latest, err := r.l.cfg.Ledger.Mapping(ctx, r.imp.Tenant, ingest.LatestVersion)
		if err != nil || latest.Version != 0 { // run again as if there were none: then that is what is asked for
			return err
		}
		p, err := r.l.cfg.Propose(ctx, r.target.Schema, r.proposable())
		if refusalOf(err) != nil {
			p, err = &suggest.Proposal{}, nil // what is wrong with a file is told when it is read
		}
		if err != nil {
			return err
		}
		r.proposed = proposed{p, len(r.imp.Files), r.proposed.times + 1}
	}
	if r.proposed.Proposal == nil || !drafted(r.proposed.Proposal, inboxPath(f.Name())) {
		return nil
	}
	f.State, f.Code, f.Error = ingest.FileRefused, code, message
	return r.wait(ctx)
}

// drafted reports whether a proposal says of which table a file is, and of some column what feeds it.
func drafted(p *suggest.Proposal, file string) bool {
	for i := range p.Lines {
		if l := &p.Lines[i]; l.File == file && l.Table != "" && l.Column != "" && len(p.YAML) > 0 {
			return true
		}
	}
	return false
}

// proposable are the files of the import that hold rows, those first of which the name says nothing. Each opens what it is packed
// in by itself: whoever looks at them may have several open.
func (r *run) proposable() []suggest.File {
	var known, unknown []suggest.File
	for i := range r.imp.Files {
		f := r.imp.Files[i]
		if f.State == ingest.FileUnpacked || f.State == ingest.FileUsed || f.Relation != "" || isPushed(f.Path) {
			continue
		}
		file := suggest.File{Path: inboxPath(f.Name()), Open: func(ctx context.Context) (io.ReadCloser, error) { return r.openBeside(ctx, &f) }}
		if _, refusal := r.mapper.TableFor(file.Path); refusal != nil {
			unknown = append(unknown, file)
		} else {
			known = append(known, file)
		}
	}
	all := append(unknown, known...) //nolint:gocritic // unknown is not used any more
	return all[:min(len(all), maxProposed)]
}

// openBeside opens the text of a file in a package of its own. What cannot be opened, or is not one piece, has no text: what is wrong
// with it is told when it is read.
func (r *run) openBeside(ctx context.Context, f *ingest.ImportFile) (io.ReadCloser, error) {
	none := io.NopCloser(strings.NewReader(""))
	pack, err := r.l.unpacker.Open(ctx, r.stored(f), unpack.Options{Budget: r.budget, Keys: r.keys})
	switch {
	case refusalOf(err) != nil:
		return none, nil
	case err != nil:
		return nil, err
	case f.Member == "" && pack.Members() != nil:
		return none, pack.Close()
	}
	text, err := pack.Text(ctx, f.Member)
	if err != nil {
		_ = pack.Close() // it was only read
		if refusalOf(err) != nil {
			return none, nil
		}
		return nil, err
	}
	return &textOf{text, pack}, nil
}

// textOf is a text together with the package that it is of.
type textOf struct {
	*unpack.Text
	pack *unpack.Package
}

// Close implements io.Closer.
func (t *textOf) Close() error { return errors.Join(t.Text.Close(), t.pack.Close()) }

// wait takes the import to unmapped, with the proposal beside it; or lets it go on under the proposal, where the tenant allows that and
// nothing is left open. What was loaded of it is given up. It returns errUnmapped, or why that could not be recorded.
func (r *run) wait(ctx context.Context) error {
	tenant, err := r.l.cfg.Ledger.Tenant(ctx, r.imp.Tenant)
	if err != nil {
		return err
	}
	refused := 0
	for i := range r.imp.Files {
		f := &r.imp.Files[i]
		f.Bytes, f.Read, f.Staged, f.Rejected = 0, 0, 0, 0
		if f.State == ingest.FileRefused {
			refused++
		} else if f.State != ingest.FileUnpacked {
			f.State, f.Table, f.Ignored, f.Notes = ingest.FileWaiting, "", nil, nil
		}
	}
	u := ledger.Unmapped{
		Files: r.imp.Files,
		Error: fmt.Sprintf("%d of %d files are not understood without a mapping; nothing was loaded", refused, len(r.imp.Files)),
		Hint: "look at the proposed mapping (" + ledger.ProposalReport + " in /reports, or dropline import proposal), correct what it leaves open, " +
			"and store it: then the import goes on by itself",
	}
	if tenant.AutoMap && r.proposed.Clear && r.usable() {
		u.Adopt = r.proposed.YAML
	}
	if u.Reports, err = r.writeProposal(ctx, u); err != nil {
		return err
	}
	if err := r.l.cfg.Store.Drop(ctx, r.target); err != nil {
		return err
	}
	imp, err := r.l.cfg.Ledger.RecordUnmapped(ctx, r.imp.ID, r.imp.Attempt, u)
	if err != nil {
		return err
	}
	r.l.cfg.Logger.InfoContext(ctx, "import met files that nobody has mapped", "import", imp.ID, "tenant", imp.Tenant, "state", imp.State,
		"files", refused, "clear", r.proposed.Clear, "mapping", imp.MappingVersion)
	return errUnmapped
}

// usable reports whether the proposal can be read: a mapping that cannot would be in the way of all imports to come.
func (r *run) usable() bool {
	_, err := mapping.Parse(ledger.ProposalReport, r.proposed.YAML, r.target.Schema)
	if err != nil {
		r.l.cfg.Logger.Error("a proposed mapping is faulty", "import", r.imp.ID, "err", err)
	}
	return err == nil
}

// writeProposal writes the reports of an import that is not understood. One that goes on gets its receipt at its end.
func (r *run) writeProposal(ctx context.Context, u ledger.Unmapped) ([]ledger.Report, error) {
	p := r.proposed
	data, err := json.MarshalIndent(Proposed{Mapping: string(p.YAML), Clear: p.Clear, Lines: p.Lines, Open: p.Open}, "", "  ")
	if err != nil {
		return nil, err
	}
	var reports []ledger.Report
	for _, report := range []struct {
		name string
		body []byte
	}{{ledger.ProposalReport, p.YAML}, {ledger.ProposalData, append(data, '\n')}} {
		written, err := r.writeReport(ctx, report.name, report.body)
		if err != nil {
			return nil, err
		}
		reports = append(reports, written)
	}
	if u.Adopt != nil {
		return reports, nil
	}
	receipt, err := r.writeReceipt(ctx, ledger.Outcome{State: ingest.Unmapped, Files: u.Files, Error: u.Error, Hint: u.Hint})
	return append(reports, receipt), err
}

// writeReport writes one of the import's reports.
func (r *run) writeReport(ctx context.Context, name string, body []byte) (ledger.Report, error) {
	key := reportKey(r.imp, name)
	object, err := r.l.cfg.Bucket.Create(ctx, key)
	if err != nil {
		return ledger.Report{}, err
	}
	if _, err := object.Write(body); err != nil {
		return ledger.Report{}, err
	}
	_, err = object.Commit(ctx, nil)
	return ledger.Report{Name: name, Key: key, Size: int64(len(body))}, err
}
