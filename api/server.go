package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/mapping/unpack"
)

// Timeouts and bounds of the HTTP server.
const (
	readHeaderTimeout = 10 * time.Second // a header is a few kilobytes: slower is an attack, or a line that is no use
	idleTimeout       = 2 * time.Minute  // of a kept-alive connection between requests
	maxHeaderBytes    = 32 << 10         // tokens and paths together are under 4 KiB
)

// Server answers the API. It is an http.Handler and safe for concurrent use.
type Server struct {
	cfg      Config
	mux      *http.ServeMux
	api      huma.API
	failures *failureLimiter // of POST /oauth2/token, by address
	hashing  chan struct{}   // bounds slow hashing of requests that hold a password
	ready    readiness
	dryRuns  dryRuns
	previews dryRuns
	unpacker *unpack.Unpacker
}

// New returns a Server.
func New(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		mux:      http.NewServeMux(),
		failures: newFailureLimiter(cfg.Clock),
		hashing:  make(chan struct{}, maxHashing),
		previews: dryRuns{what: "previews"},
		unpacker: unpack.New(cfg.Unpack),
	}
	s.api = huma.NewAPI(s.humaConfig(), &router{server: s})
	s.registerToken()
	s.registerImports()
	s.registerRejects()
	s.registerPromotions()
	s.registerFiles()
	s.registerBatches()
	s.registerDatabases()
	s.registerSources()
	s.registerSchemas()
	s.registerTenants()
	s.registerCredentials()
	s.registerMappings()
	s.registerPreviews()
	s.registerSuggestions()
	s.registerPGP()
	s.registerReruns()
	s.registerServer()
	s.registerDocuments()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guard(w, r) }

// HTTPServer returns an http.Server for this handler with the timeouts it counts on. It has no address and is not started.
// It sets no timeout for whole requests, because uploads take hours: bodies are bounded by how long they may stand still.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug), // scanners' broken handshakes
	}
}
