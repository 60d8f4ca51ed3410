package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pkg/sftp"

	"dropline/ingest"
)

// prepare implements destination: over SFTP nothing is told of the tenant.
func (s *SFTP) prepare(ctx context.Context) (Tenant, error) {
	_, err := s.open(ctx)
	return Tenant{Slug: s.User}, err
}

func (s *SFTP) root() string { return ingest.Inbox + "/" + ingest.PushFolder }

// held implements destination.
func (s *SFTP) held(ctx context.Context, batch string) (map[string]held, error) {
	defer s.bound(ctx)()
	client, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]held{}
	folders, err := client.ReadDirContext(ctx, s.root())
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, s.fault("list", s.root(), err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		files, err := client.ReadDirContext(ctx, s.root()+"/"+folder.Name())
		if err != nil {
			return nil, s.fault("list", s.root()+"/"+folder.Name(), err)
		}
		for _, f := range files {
			if final, ok := ingest.BatchID(batch).Final(f.Name()); ok && !f.IsDir() {
				out[ingest.PushFolder+"/"+folder.Name()+"/"+final] = held{Size: f.Size()}
			}
		}
	}
	return out, nil
}

// send implements destination.
func (s *SFTP) send(ctx context.Context, batch, name string, body io.Reader) (held, error) {
	defer s.bound(ctx)()
	client, err := s.open(ctx)
	if err != nil {
		return held{}, err
	}
	final := ingest.Inbox + "/" + name
	waiting := ingest.BatchID(batch).Held(final)
	if err := client.MkdirAll(path.Dir(final)); err != nil {
		return held{}, s.fault("make", path.Dir(final), err)
	}
	f, err := client.Create(waiting)
	if err != nil {
		return held{}, s.fault("create", waiting, err)
	}
	source := &failing{r: body}
	n, err := f.ReadFrom(source)
	if source.err != nil {
		_ = f.Close()              // a file that is not whole
		_ = client.Remove(waiting) // the next try replaces it, should this fail
		return held{}, source.err
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return held{}, s.fault("write", waiting, err)
	}
	return held{Size: n}, nil
}

// failing remembers why reading failed.
type failing struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// deliver implements destination. The files get their names in quick succession, and the server's quiet period makes one import
// of them.
func (s *SFTP) deliver(ctx context.Context, run *running) (delivery, error) {
	defer s.bound(ctx)()
	there, err := s.held(ctx, string(run.Batch))
	if err != nil {
		return delivery{}, err
	}
	client, err := s.open(ctx)
	if err != nil {
		return delivery{}, err
	}
	// Where some are missing, they have their names already, if a try before got so far. If not, they are gone.
	for _, f := range run.Files {
		if h, ok := there[f.Name]; ok && h.Size == f.Size {
			continue
		}
		info, err := client.Stat(ingest.Inbox + "/" + f.Name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() != f.Size {
			return delivery{}, errAnew
		}
		if err != nil {
			return delivery{}, s.fault("look at", f.Name, err)
		}
	}
	known := map[string]bool{}
	for _, f := range run.Files {
		known[f.Name] = true
		if _, ok := there[f.Name]; !ok {
			continue
		}
		final := ingest.Inbox + "/" + f.Name
		if err := client.PosixRename(run.Batch.Held(final), final); err != nil {
			return delivery{}, s.fault("rename", final, err)
		}
	}
	for name := range there {
		if !known[name] { // of a try that was broken off
			_ = client.Remove(run.Batch.Held(ingest.Inbox + "/" + name)) // should this fail, it does not count
		}
	}
	return delivery{}, ctx.Err()
}

// discard implements destination.
func (s *SFTP) discard(ctx context.Context, batch string) error {
	defer s.bound(ctx)()
	there, err := s.held(ctx, batch)
	if err != nil {
		return err
	}
	client, err := s.open(ctx)
	if err != nil {
		return err
	}
	for name := range there {
		if err := client.Remove(ingest.BatchID(batch).Held(ingest.Inbox + "/" + name)); err != nil {
			return s.fault("remove", name, err)
		}
	}
	return nil
}

// receipts are the names of the receipts at the server, in the order of time.
func (s *SFTP) receipts(ctx context.Context) ([]string, error) {
	defer s.bound(ctx)()
	client, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	list, err := client.ReadDirContext(ctx, ingest.Reports)
	if err != nil {
		return nil, s.fault("list", ingest.Reports, err)
	}
	var names []string
	for _, f := range list {
		if strings.HasSuffix(f.Name(), ".receipt.json") {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// mark implements destination.
func (s *SFTP) mark(ctx context.Context) (string, error) {
	names, err := s.receipts(ctx)
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[len(names)-1], nil
}

// alive implements destination. Whether an import was taken back since cannot be seen over SFTP.
func (*SFTP) alive(context.Context, string) (live, promoted bool, err error) { return true, false, nil }

// receipt is what of a receipt matters here.
type receipt struct {
	State string `json:"state"`
	Files []struct {
		Path     string `json:"path"`
		SHA256   string `json:"sha256"`
		State    string `json:"state"`
		Rejected int64  `json:"rowsRejected"`
	} `json:"files"`
}

// outcome implements destination. The receipts that have come since tell it of files, by names and hashes.
func (s *SFTP) outcome(ctx context.Context, p *pending) (outcome, error) {
	defer s.bound(ctx)()
	names, err := s.receipts(ctx)
	if err != nil {
		return outcome{}, err
	}
	client, err := s.open(ctx)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{Staged: map[string]bool{}, Why: "no receipt of it is in " + ingest.Reports + " yet"}
	looked := 0
	for _, name := range names {
		if name <= p.After || looked == mostReceipts {
			continue
		}
		looked++
		r, err := s.receipt(client, name)
		if err != nil {
			return outcome{}, err
		}
		for _, f := range r.Files {
			name := strings.TrimPrefix(f.Path, ingest.Inbox+"/")
			if sum, ours := p.Sums[name]; !ours || sum != f.SHA256 {
				continue // of another delivery
			}
			out.Known, out.State = true, r.State
			out.Staged[name] = living(r.State) && f.State == string(ingest.FileLoaded) && f.Rejected == 0
		}
	}
	return out, nil
}

func (s *SFTP) receipt(client *sftp.Client, name string) (receipt, error) {
	var r receipt
	f, err := client.Open(ingest.Reports + "/" + name)
	if err != nil {
		return r, s.fault("open", name, err)
	}
	defer f.Close() //nolint:errcheck // only read
	var raw bytes.Buffer
	if _, err := io.Copy(&raw, io.LimitReader(f, maxReceipt)); err != nil {
		return r, s.fault("read", name, err)
	}
	if err := json.Unmarshal(raw.Bytes(), &r); err != nil {
		return receipt{}, nil //nolint:nilerr // one that cannot be read says nothing
	}
	return r, nil
}
