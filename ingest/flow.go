package ingest

import "sync"

// MaxUploads is how many files of one tenant a process takes in at a time. Each may hold a part in memory for as long as its
// client likes, so without a bound one client could take all memory; clients that send in parallel use some dozens.
const MaxUploads = 128

// flows knows of each tenant what is on its way in, so that uploads side by side cannot each use up the same room.
type flows struct {
	mu       sync.Mutex
	byTenant map[TenantID]*flow // of tenants with uploads only
}

type flow struct {
	uploads int
	bytes   int64 // of the uploads under way
	total   int64 // of these and of those that were kept since the first of them began
}

func newFlows() *flows { return &flows{byTenant: map[TenantID]*flow{}} }

// share is one upload's part in its tenant's flow.
type share struct {
	flows  *flows
	tenant TenantID
	flow   *flow
	taken  int64
	most   int64 // what flow.total may reach; below zero: anything
	over   bool
}

// enter adds an upload, or reports false if there are too many. It must be left.
func (f *flows) enter(tenant TenantID) (*share, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.byTenant[tenant]
	if w == nil {
		w = &flow{}
		f.byTenant[tenant] = w
	}
	if w.uploads >= MaxUploads {
		return nil, false
	}
	w.uploads++
	return &share{flows: f, tenant: tenant, flow: w, most: -1}, true
}

// standing is what is on its way beside what the ledger will tell if it is asked after this, and a mark for limit.
func (s *share) standing() (bytes, mark int64) {
	s.flows.mu.Lock()
	defer s.flows.mu.Unlock()
	return s.flow.bytes, s.flow.total
}

// limit lets the tenant's uploads together take room bytes more than at the mark. A room below zero is that of a tenant who
// has more than it may.
func (s *share) limit(room, mark int64) { s.most = max(mark+room, 0) }

// replaces gives the upload the room of a stored file of n bytes that goes when it is in.
func (s *share) replaces(n int64) {
	if s.most >= 0 {
		s.most += n
	}
}

// take notes n bytes, or reports false if there is no room for them.
func (s *share) take(n int64) bool {
	s.flows.mu.Lock()
	defer s.flows.mu.Unlock()
	if s.most >= 0 && s.flow.total+n > s.most {
		return false
	}
	s.taken += n
	s.flow.bytes += n
	s.flow.total += n
	return true
}

// leave ends the upload. What was not kept makes room. Leaving twice does nothing.
func (s *share) leave(kept bool) {
	s.flows.mu.Lock()
	defer s.flows.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	s.flow.bytes -= s.taken
	if !kept {
		s.flow.total -= s.taken
	}
	if s.flow.uploads--; s.flow.uploads == 0 {
		delete(s.flows.byTenant, s.tenant)
	}
}
