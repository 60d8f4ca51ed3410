package loader

import "context"

// places are where parts of databases are copied, at most so many at a time. An import has one of them when its turn comes; what
// it copies beside that goes where no more than a third of all are taken so. Otherwise two imports from slow servers, each
// with several parts in hand, would keep everybody else's waiting for as long as they like.
type places struct {
	all    chan struct{}
	beside chan struct{}
}

func newPlaces(n int) places {
	return places{all: make(chan struct{}, n), beside: make(chan struct{}, n/3)}
}

// take waits for a place. first is the import's own mark that one of its parts has one. What it returns gives the place back.
func (p places) take(ctx context.Context, first chan struct{}) (leave func(), err error) {
	kind := first
	select {
	case first <- struct{}{}: // before one beside it
	default:
		select {
		case first <- struct{}{}:
		case p.beside <- struct{}{}:
			kind = p.beside
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	select {
	case p.all <- struct{}{}:
		return func() {
			<-p.all
			<-kind
		}, nil
	case <-ctx.Done():
		<-kind
		return nil, context.Cause(ctx)
	}
}
