package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"dropline/ingest"
)

const csvType = "text/csv; charset=utf-8; header=present"

type rejectsInput struct {
	RequestID string `path:"requestId" doc:"The import's id" example:"import_0123456789abcdef0123456789abcdef"`
	Accept    string `header:"Accept" hidden:"true"`
	Limit     int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Rejects on a page"`
	Cursor    string `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
}

// streamOutput is an answer that its Body function writes whole, header included.
type streamOutput struct{ Body func(huma.Context) }

func (s *Server) registerRejects() {
	csv := func() map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"text/csv": {
			Schema:  &huma.Schema{Type: huma.TypeString},
			Example: strings.Join(rejectsHeader(), ",") + "\n/inbox/Matters.csv,Matter,7,8,OpenDate,Open Date,not_a_date,…,30/02/2026,M-7,512,64\n",
		}}
	}
	page := csv()
	page["application/json"] = &huma.MediaType{Schema: schemaOf(s.api.OpenAPI().Components.Schemas, RejectPage{}, "RejectPage")}
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listRejects", Method: http.MethodGet, Path: "/etl/imports/{requestId}/rejects", Tags: []string{tagImports},
		Summary: "List every refused row",
		Description: "As JSON, page by page, or with `Accept: text/csv` all of them as CSV. All are here, not only the first ones " +
			"that the status shows; what was accepted with a warning is not.",
		Responses: map[string]*huma.Response{"200": {Description: "The refused rows", Content: page}},
		Errors:    []int{http.StatusNotFound, http.StatusConflict},
	}}, s.listRejects)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "downloadRejects", Method: http.MethodGet, Path: "/etl/imports/{requestId}/rejects.csv", Tags: []string{tagImports},
		Summary: "Download every refused row as CSV",
		Description: "One line per refused row, after a header line, which is there also when no row was refused. Values are as " +
			"received: have a spreadsheet take the columns as text, or it may take one that begins with = for a formula.",
		Responses: map[string]*huma.Response{"200": {Description: "The refused rows", Content: csv()}},
		Errors:    []int{http.StatusNotFound, http.StatusConflict},
	}}, func(ctx context.Context, in *importInput) (*streamOutput, error) {
		return s.streamRejects(ctx, in.RequestID)
	})
}

func (s *Server) listRejects(ctx context.Context, in *rejectsInput) (*streamOutput, error) {
	if negotiation.SelectQValue(in.Accept, []string{"application/json", "text/csv"}) == "text/csv" {
		return s.streamRejects(ctx, in.RequestID)
	}
	imp, object, err := s.rejectsObject(ctx, in.RequestID)
	if err != nil {
		return nil, err
	}
	offset, tag, err := rejectPosition(in.Cursor)
	switch {
	case err != nil:
		return nil, err
	case tag != "" && tag != object.ETag:
		return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, "api.listRejects", "the import was loaded again since the page before"),
			"leave cursor out to start at the beginning")
	case offset > object.Size:
		return nil, badCursor()
	}
	page := RejectPage{Items: []Reject{}, Total: imp.Rejected}
	if offset < object.Size {
		if page, err = s.readRejects(ctx, &imp, object, offset, in.Limit); err != nil {
			return nil, err
		}
	}
	return &streamOutput{Body: func(hc huma.Context) {
		hc.SetHeader("Vary", "Accept")
		hc.SetHeader("Content-Type", "application/json")
		if err := huma.DefaultJSONFormat.Marshal(hc.BodyWriter(), page); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// rejectsObject finds the caller's import and its rejects file, whose size is 0 where no row was refused.
func (s *Server) rejectsObject(ctx context.Context, requestID string) (ingest.Import, ingest.Object, error) {
	const op = "api.rejectsObject"
	imp, err := s.findImport(ctx, requestID)
	if err != nil {
		return imp, ingest.Object{}, err
	}
	if err := checkedToTheEnd(&imp, "rejects"); err != nil {
		return imp, ingest.Object{}, err
	}
	object, err := s.cfg.Bucket.Stat(ctx, ingest.ReportPrefix+string(imp.Tenant)+"/"+string(imp.ID)+"/rejects.csv")
	if err != nil && ingest.KindOf(err) == ingest.NotFound {
		if imp.Rejected > 0 {
			return imp, object, ingest.Errorf(ingest.Internal, op, "the rejects file of %s is gone", imp.ID)
		}
		return imp, ingest.Object{}, nil
	}
	return imp, object, err
}

// checkedToTheEnd refuses to show what of an import that nobody knows yet: an empty list would say that there is nothing.
func checkedToTheEnd(imp *ingest.Import, what string) error {
	const op = "api.checkedToTheEnd"
	switch imp.State {
	case ingest.Queued, ingest.Loading, ingest.Validating:
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, op, "the import is %s: its %s are not known yet", imp.State, what),
			"wait until it is staged or rejected")
	case ingest.Unmapped:
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, op, "the import is unmapped: nothing of it was loaded"), "store a mapping for its files")
	case ingest.Failed, ingest.Cancelled:
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, op, "the import is %s: it was not checked to its end", imp.State), "retry it")
	case ingest.Staged, ingest.Rejected, ingest.Promoting, ingest.Promoted, ingest.RollingBack, ingest.RolledBack:
	}
	return nil
}

// rejectPosition is where a cursor stands: a byte offset at the beginning of a record, and the entity tag of the file.
func rejectPosition(cursor string) (offset int64, tag string, err error) {
	position, err := decodeCursor("rejects", cursor)
	if err != nil || position == "" {
		return 0, "", err
	}
	number, tag, _ := strings.Cut(position, ",")
	offset, err = strconv.ParseInt(number, 10, 64)
	if err != nil || offset <= 0 {
		return 0, "", badCursor()
	}
	return offset, tag, nil
}

// readRejects reads one page. It asks for no more of the file than the page can need at most, and drops what it does not use.
func (s *Server) readRejects(ctx context.Context, imp *ingest.Import, object ingest.Object, offset int64, limit int) (page RejectPage, err error) {
	body, _, err := s.cfg.Bucket.Open(ctx, object.Key, offset, -1, object.ETag)
	if err != nil {
		return page, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	page = RejectPage{Items: make([]Reject, 0, limit), Total: imp.Rejected}
	file := newRejectFile(body, offset)
	for range limit {
		reject, err := file.next()
		if errors.Is(err, io.EOF) {
			return page, nil
		}
		if err != nil {
			if offset > 0 && ingest.KindOf(err) == ingest.Internal && len(page.Items) == 0 {
				return page, badCursor() // it does not stand at the beginning of a record
			}
			return page, fmt.Errorf("rejects of %s: %w", imp.ID, err)
		}
		page.Items = append(page.Items, rejectsOf([]ingest.Reject{reject})...)
	}
	if file.offset < object.Size {
		page.NextCursor = encodeCursor("rejects", strconv.FormatInt(file.offset, 10)+","+object.ETag)
	}
	return page, nil
}

// streamRejects sends the file as the worker wrote it.
func (s *Server) streamRejects(ctx context.Context, requestID string) (*streamOutput, error) {
	imp, object, err := s.rejectsObject(ctx, requestID)
	if err != nil {
		return nil, err
	}
	header := strings.Join(rejectsHeader(), ",") + "\n"
	body, size := io.NopCloser(strings.NewReader(header)), int64(len(header))
	if object.Size > 0 {
		if body, _, err = s.cfg.Bucket.Open(ctx, object.Key, 0, -1, object.ETag); err != nil {
			return nil, err
		}
		size = object.Size
	}
	return &streamOutput{Body: func(hc huma.Context) {
		defer func() { _ = body.Close() }() // it was read to its end, or the answer is cut off
		hc.SetHeader("Vary", "Accept")
		hc.SetHeader("Content-Type", csvType)
		hc.SetHeader("Content-Length", strconv.FormatInt(size, 10))
		hc.SetHeader("Content-Disposition", `attachment; filename="`+string(imp.ID)+`.rejects.csv"`)
		hc.SetStatus(http.StatusOK)
		if hc.Method() == http.MethodHead {
			return
		}
		if _, err := io.Copy(hc.BodyWriter(), body); err != nil {
			_ = s.fail(ctx, err) // for the log
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
