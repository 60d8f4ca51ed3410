package push

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dropline/api"
	"dropline/ingest"
)

// prepare implements destination.
func (h *HTTPS) prepare(ctx context.Context) (Tenant, error) {
	var list api.BatchFiles // of no batch: the answer says whose it would be
	if err := h.do(ctx, call{method: http.MethodGet, path: "/etl/batches/none", query: h.scoped(url.Values{})}, &list); err != nil {
		return Tenant{}, err
	}
	base := "/etl/tenants/" + url.PathEscape(list.Tenant)
	var tenant api.Tenant
	if err := h.do(ctx, call{method: http.MethodGet, path: base}, &tenant); err != nil {
		return Tenant{}, err
	}
	var m api.MappingVersion
	if err := h.do(ctx, call{method: http.MethodGet, path: base + "/mapping"}, &m); err != nil {
		return Tenant{}, err
	}
	return Tenant{Slug: tenant.Slug, Schema: tenant.Schema, Mapping: []byte(m.YAML)}, nil
}

func batchPath(batch string) string { return "/etl/batches/" + url.PathEscape(batch) }

// held implements destination.
func (h *HTTPS) held(ctx context.Context, batch string) (map[string]held, error) {
	var list api.BatchFiles
	if err := h.do(ctx, call{method: http.MethodGet, path: batchPath(batch), query: h.scoped(url.Values{})}, &list); err != nil {
		return nil, err
	}
	out := map[string]held{}
	for _, f := range list.Items {
		out[f.Name] = held{f.Size, f.SHA256}
	}
	return out, nil
}

// send implements destination.
func (h *HTTPS) send(ctx context.Context, batch, name string, body io.Reader) (held, error) {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	var drop api.Drop
	err := h.do(ctx, call{
		method: http.MethodPut, path: "/etl/files/" + strings.Join(parts, "/"), query: h.scoped(url.Values{"batch": {batch}}), raw: body,
	}, &drop)
	return held{drop.Size, drop.SHA256}, err
}

// deliver implements destination.
func (h *HTTPS) deliver(ctx context.Context, run *running) (delivery, error) {
	var out api.BatchDelivered
	err := h.do(ctx, call{
		method: http.MethodPost, path: batchPath(string(run.Batch)), query: h.scoped(url.Values{}), body: api.BatchDeliver{Files: len(run.Files)}, key: run.Key,
	}, &out)
	if err != nil {
		return delivery{}, h.undelivered(ctx, run, err)
	}
	d := delivery{Import: out.RequestID, Told: true}
	for _, f := range out.Files {
		if f.State == string(ingest.DropDuplicate) {
			d.Duplicates++
		}
	}
	return d, nil
}

// undelivered tells a batch that is incomplete from one that the server is at: that request may be on its way twice.
func (h *HTTPS) undelivered(ctx context.Context, run *running, err error) error {
	var passes *passing
	if errors.As(err, &passes) || ingest.KindOf(err) != ingest.Conflict && ingest.KindOf(err) != ingest.NotFound {
		return err
	}
	there, lost := h.held(ctx, string(run.Batch))
	if lost != nil {
		return lost
	}
	for _, f := range run.Files {
		if there[f.Name].SHA256 != f.SHA256 {
			return errAnew
		}
	}
	if len(there) != len(run.Files) {
		return errAnew
	}
	return &passing{err: err}
}

// discard implements destination.
func (h *HTTPS) discard(ctx context.Context, batch string) error {
	return h.do(ctx, call{method: http.MethodDelete, path: batchPath(batch), query: h.scoped(url.Values{})}, nil)
}

// mark implements destination: over HTTPS the import's id says it all.
func (*HTTPS) mark(context.Context) (string, error) { return "", nil }

func (h *HTTPS) status(ctx context.Context, id string) (api.ImportStatus, bool, error) {
	var s api.ImportStatus
	err := h.do(ctx, call{method: http.MethodGet, path: "/etl/import-status/" + url.PathEscape(id)}, &s)
	if err != nil && ingest.KindOf(err) == ingest.NotFound {
		return s, false, nil
	}
	return s, err == nil, err
}

// living reports whether an import's rows are in staging or production.
func living(state string) bool {
	return slices.Contains([]ingest.State{ingest.Staged, ingest.Promoting, ingest.Promoted}, ingest.State(state))
}

// alive implements destination.
func (h *HTTPS) alive(ctx context.Context, id string) (live, promoted bool, err error) {
	s, found, err := h.status(ctx, id)
	return found && living(s.State), found && s.State == string(ingest.Promoted), err
}

// outcome implements destination.
func (h *HTTPS) outcome(ctx context.Context, p *pending) (outcome, error) {
	if p.Import == "" {
		return outcome{Known: true}, nil // nothing was new
	}
	s, found, err := h.status(ctx, p.Import)
	if err != nil {
		return outcome{}, err
	}
	if found && slices.Contains([]ingest.State{ingest.Queued, ingest.Loading, ingest.Validating}, ingest.State(s.State)) {
		return outcome{Why: p.Import + " is " + s.State}, nil
	}
	out := outcome{Known: true, State: s.State, Import: p.Import, Staged: map[string]bool{}}
	if !found || !living(s.State) {
		return out, nil
	}
	for _, f := range s.Files {
		name := strings.TrimPrefix(f.Path, ingest.Inbox+"/")
		out.Staged[name] = p.Sums[name] == f.SHA256 && f.State == string(ingest.FileLoaded) && f.RowsRejected == 0
	}
	return out, nil
}
