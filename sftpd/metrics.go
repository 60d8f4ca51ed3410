package sftpd

import "github.com/prometheus/client_golang/prometheus"

// metrics count what the server does.
type metrics struct {
	sessions prometheus.Gauge
	logins   *prometheus.CounterVec // by result
	uploads  prometheus.Counter
	received prometheus.Counter
	sent     prometheus.Counter
	panics   prometheus.Counter
}

// newMetrics registers the metrics. With a nil registerer they are counted for nobody.
func newMetrics(to prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "dropline", Subsystem: "sftp", Name: name, Help: help})
	}
	m := &metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "dropline", Subsystem: "sftp", Name: "sessions", Help: "SSH connections that are signed in.",
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "dropline", Subsystem: "sftp", Name: "logins_total", Help: "Attempts to sign in, by result.",
		}, []string{"result"}),
		uploads:  counter("uploads_total", "Files registered."),
		received: counter("received_bytes_total", "Bytes of files registered."),
		sent:     counter("sent_bytes_total", "Bytes of files sent to clients."),
		panics:   counter("panics_total", "Panics that were caught."),
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.sessions, m.logins, m.uploads, m.received, m.sent, m.panics} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
