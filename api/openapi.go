package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Tags under which operations are grouped in the reference.
const (
	tagAccess    = "Access"
	tagImports   = "Imports"
	tagFiles     = "Files"
	tagDatabases = "Databases"
	tagSchemas   = "Schemas"
	tagTenants   = "Tenants"
	tagServer    = "Server"
)

const description = "Dropline takes in clients' data: CSV files come by SFTP, by HTTP or straight into S3, or a client's SQL Server is read. " +
	"It is checked against a published ETL schema in the client's own staging tables, and promoted to production by one call, all or " +
	"nothing.\n\n" +
	"Get a token with `POST /oauth2/token` and send it as `Authorization: Bearer …`. A token is a tenant's or the operator's; " +
	"what belongs to another tenant does not exist. Errors are problems (RFC 9457) with a `detail` that says what happened and a " +
	"`hint` that says what to do. Every answer carries an `X-Request-Id`.\n\n" +
	"A POST that starts work takes an `Idempotency-Key`: sent again with the same key, within 24 hours, it gives the same answer " +
	"again, marked `Idempotency-Replayed: true`, and does nothing. An answer that refuses the request is not kept."

// humaConfig describes the API as a whole.
func (s *Server) humaConfig() huma.Config {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalStrictly}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[json.RawMessage](), reflect.TypeFor[map[string]any]()) // rows are objects
	spec := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Dropline", Version: s.cfg.Version, Description: description,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas:   registry,
			Responses: map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"oauth2": {
					Type: "oauth2", Description: "Client credentials of a tenant or of the operator",
					Flows: &huma.OAuthFlows{ClientCredentials: &huma.OAuthFlow{
						TokenURL: s.cfg.PublicURL + "/oauth2/token", Scopes: map[string]string{},
					}},
				},
				"bearer": {Type: "http", Scheme: "bearer", Description: "A token from POST /oauth2/token"},
			},
		},
		Tags: []*huma.Tag{
			{Name: tagAccess, Description: "Tokens and credentials"},
			{Name: tagImports, Description: "What was loaded, what was refused and why, and the way to production"},
			{Name: tagFiles, Description: "Sending files over HTTP, and what was received"},
			{Name: tagDatabases, Description: "Importing from SQL Server databases"},
			{Name: tagSchemas, Description: "The published ETL schemas: DDL, reference, templates. They need no token"},
			{Name: tagTenants, Description: "Client organisations, their settings and mappings"},
			{Name: tagServer, Description: "This server"},
		},
	}
	spec.Servers = []*huma.Server{{URL: "/"}} // wherever the document was got
	if s.cfg.PublicURL != "" {
		spec.Servers[0].URL = s.cfg.PublicURL
	}
	return huma.Config{
		OpenAPI:                      spec,
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true, // a misspelt filter must not pass for no filter
		Transformers:                 []huma.Transformer{s.transformProblem},
	}
}

// document completes an operation: security, the errors it may answer, and how the router is to treat it.
func (s *Server) document(op *operation) {
	spec := s.api.OpenAPI()
	statuses := []int{http.StatusInternalServerError, http.StatusServiceUnavailable}
	if op.access != public {
		op.Security = []map[string][]string{{"oauth2": {}}, {"bearer": {}}}
		statuses = append(statuses, http.StatusUnauthorized, http.StatusUnprocessableEntity)
	}
	if op.access == operatorOnly {
		statuses = append(statuses, http.StatusForbidden)
	}
	if op.access == public { // said outright: no requirement at all reads as if it had been forgotten
		op.Security = []map[string][]string{{}}
	}
	statuses = append(statuses, http.StatusBadRequest)
	if op.Method == http.MethodGet {
		statuses = append(statuses, http.StatusUnprocessableEntity) // a query parameter that it does not have
	}
	if op.Method != http.MethodGet && op.Method != http.MethodDelete {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if op.idempotent {
		statuses = append(statuses, http.StatusConflict)
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: HeaderIdempotencyKey, In: "header",
			Description: "Makes it safe to send the request again: the same key gives the same answer and does nothing more",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(maxIdempotencyKey)},
			Example:     "5f1c9a3e-8a0d-4c55-9a8b-0d6a2f7f1b57",
		})
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	for _, status := range append(statuses, op.Errors...) {
		if code := strconv.Itoa(status); op.Responses[code] == nil {
			op.Responses[code] = &huma.Response{Ref: "#/components/responses/" + code}
			if spec.Components.Responses[code] == nil {
				spec.Components.Responses[code] = problemResponse(spec.Components.Schemas, status)
			}
		}
	}
	op.Errors = nil
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1 // the router has bounded and read it
	if op.Metadata == nil {
		op.Metadata = map[string]any{}
	}
	op.Metadata[policyKey] = *op
}

// problemResponse describes the problem of a status.
func problemResponse(registry huma.Registry, status int) *huma.Response {
	p := newProblem(status, "what happened", "what to do about it").Problem
	p.Instance = "/etl/…"
	return &huma.Response{
		Description: descriptionOf(status),
		Content: map[string]*huma.MediaType{
			problemType: {Schema: schemaOf(registry, Problem{}, "Problem"), Example: p},
		},
	}
}

func descriptionOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The request cannot be read"
	case http.StatusUnauthorized:
		return "There is no token, or it is unknown or has ended"
	case http.StatusForbidden:
		return "The token may not do this"
	case http.StatusNotFound:
		return "There is no such thing, or it is another tenant's"
	case http.StatusConflict:
		return "The present state does not allow it; detail says why"
	case http.StatusRequestTimeout:
		return "The body did not arrive in time"
	case http.StatusLengthRequired:
		return "The request does not say how long its body is"
	case http.StatusRequestEntityTooLarge:
		return "The body is too large"
	case http.StatusUnsupportedMediaType:
		return "The body is of another type than expected"
	case http.StatusUnprocessableEntity:
		return "The request is not valid; errors says where"
	case http.StatusTooManyRequests:
		return "Too many at a time; Retry-After says when to try again"
	case http.StatusNotImplemented:
		return "This server imports from no databases: its operator has set no key for connection strings"
	case http.StatusServiceUnavailable:
		return "PostgreSQL or S3 is out of reach; Retry-After says when to try again"
	case http.StatusInsufficientStorage:
		return "The quota is used up, or the disk is full"
	}
	return "Dropline's own fault; X-Request-Id names the entry in its log"
}

// schemaOf registers a type and returns a reference to it.
func schemaOf(registry huma.Registry, v any, name string) *huma.Schema {
	return registry.Schema(reflect.TypeOf(v), true, name)
}

// unmarshalStrictly is json.Unmarshal that refuses what is read differently by different readers, or cannot be stored:
// repeated names in an object, bytes that are not UTF-8, and NUL characters.
func unmarshalStrictly(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("the JSON is not UTF-8")
	}
	if err := checkNames(json.NewDecoder(bytes.NewReader(data))); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// maxJSONDepth is far over what any request needs.
const maxJSONDepth = 64

// checkNames walks a JSON text. What is malformed is left to json.Unmarshal, which says it better.
func checkNames(d *json.Decoder) error {
	d.UseNumber()
	var objects []map[string]bool // nil for an array
	name := false                 // the next string is a name
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if len(objects) == maxJSONDepth {
					return errors.New("the JSON is nested too deeply")
				}
				var names map[string]bool
				if t == '{' {
					names = map[string]bool{}
				}
				objects = append(objects, names)
			default:
				objects = objects[:len(objects)-1]
			}
			name = len(objects) > 0 && objects[len(objects)-1] != nil
			continue
		case string:
			if bytes.ContainsRune([]byte(t), 0) {
				return errors.New("the JSON holds a NUL character")
			}
			if name {
				names := objects[len(objects)-1]
				folded := strings.ToLower(t) // as the decoder takes names
				if names[folded] {
					return errors.New("the JSON has a name twice in one object: " + strconv.Quote(t))
				}
				names[folded] = true
				name = false
				continue
			}
		}
		name = len(objects) > 0 && objects[len(objects)-1] != nil
	}
}

func ptr[T any](v T) *T { return &v }
