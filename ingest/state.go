package ingest

import "slices"

// State is an import's state. The one table of transitions is below; ARCHITECTURE.md draws it.
type State string

// The states.
const (
	Queued      State = "queued"       // recorded, its job waits
	Loading     State = "loading"      // its files are read into staging
	Unmapped    State = "unmapped"     // its files are not understood and wait for a mapping, with a proposal of one beside them
	Validating  State = "validating"   // keys, references and checks, in SQL
	Staged      State = "staged"       // ready to promote
	Rejected    State = "rejected"     // refused rows over the tenant's limit, or a file refused as a whole
	Promoting   State = "promoting"    // its promotion is requested or under way
	Promoted    State = "promoted"     // in production
	RollingBack State = "rolling_back" // its rollback is requested or under way
	RolledBack  State = "rolled_back"  // production is as it was before
	Failed      State = "failed"       // could not be loaded; retry takes it up again
	Cancelled   State = "cancelled"    // stopped or given up on request; retry takes it up again
)

// States lists all states in the order above.
func States() []State {
	return []State{
		Queued, Loading, Unmapped, Validating, Staged, Rejected, Promoting, Promoted, RollingBack, RolledBack, Failed,
		Cancelled,
	}
}

// transitions holds, for each state, those that may follow it. Loading and validating may go back to queued when a worker
// is stopped: the next one starts over; loading also where a proposed mapping is taken into use. Promoting returns to where it came from when it fails.
func transitions(s State) []State {
	switch s {
	case Queued:
		return []State{Loading, Failed, Cancelled}
	case Loading:
		return []State{Validating, Unmapped, Rejected, Queued, Failed, Cancelled}
	case Unmapped:
		return []State{Queued, Cancelled}
	case Validating:
		return []State{Staged, Rejected, Queued, Failed, Cancelled}
	case Staged:
		return []State{Promoting, Cancelled}
	case Rejected:
		return []State{Promoting}
	case Promoting:
		return []State{Promoted, Staged, Rejected}
	case Promoted:
		return []State{RollingBack}
	case RollingBack:
		return []State{RolledBack, Promoted}
	case Failed, Cancelled:
		return []State{Queued}
	case RolledBack:
	}
	return nil
}

// CanBecome reports whether an import in state s may go to next.
func (s State) CanBecome(next State) bool { return slices.Contains(transitions(s), next) }

// Sources lists the states from which next may be reached, in the order of States.
func Sources(next State) []State {
	var from []State
	for _, s := range States() {
		if s.CanBecome(next) {
			from = append(from, s)
		}
	}
	return from
}

// Running reports whether a worker has, or should have, the import in hand.
func (s State) Running() bool {
	switch s {
	case Queued, Loading, Validating, Promoting, RollingBack:
		return true
	case Unmapped, Staged, Rejected, Promoted, RolledBack, Failed, Cancelled:
	}
	return false
}

// Live reports whether what the import brought is on its way to production or there, so that the same bytes delivered
// again are a duplicate.
func (s State) Live() bool {
	switch s {
	case Queued, Loading, Unmapped, Validating, Staged, Promoting, Promoted:
		return true
	case Rejected, RollingBack, RolledBack, Failed, Cancelled:
	}
	return false
}
