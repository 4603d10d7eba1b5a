// Package otlp sends metrics to an OpenTelemetry receiver: OTLP over HTTP, as protobuf
// (opentelemetry.io/docs/specs/otlp). The messages are OpenTelemetry's own module; its
// SDK, which brings gRPC, is not needed for one request.
package otlp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/planvet/planvet/internal/metrics"
)

// Exporter sends metrics to one address.
type Exporter struct {
	url     string
	headers http.Header
	// Version is planvet's, of the resource that all metrics are of.
	Version string
}

const metricsPath = "/v1/metrics"

// New reads an endpoint: a URL, to which /v1/metrics is added where it has no path, or
// "env" for that of the variables of OpenTelemetry. Their headers are sent to either.
// getenv is os.Getenv. The error does not hold the URL, whose user may be a secret.
func New(endpoint string, getenv func(string) string) (*Exporter, error) {
	if endpoint == "env" {
		if endpoint = getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"); endpoint == "" {
			if endpoint = getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint == "" {
				return nil, errors.New("neither OTEL_EXPORTER_OTLP_METRICS_ENDPOINT nor OTEL_EXPORTER_OTLP_ENDPOINT is set")
			}
			endpoint = strings.TrimRight(endpoint, "/") + metricsPath
		}
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("write http://host:4318, or https://host/path")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = metricsPath
	}
	e := &Exporter{url: u.String(), headers: http.Header{}}
	for _, pair := range strings.Split(cmp.Or(getenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS"), getenv("OTEL_EXPORTER_OTLP_HEADERS")), ",") {
		name, value, ok := strings.Cut(pair, "=")
		if text, err := url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
			e.headers.Set(strings.TrimSpace(name), text)
		}
	}
	return e, nil
}

// timeout bounds one request, as OpenTelemetry's exporters have it.
const timeout = 10 * time.Second

// Export sends metrics in one request. The error is a line and names host and status.
func (e *Exporter) Export(ctx context.Context, all []*metrics.Metric) error {
	body, err := proto.Marshal(e.message(all))
	if err != nil {
		return fmt.Errorf("writing metrics for OpenTelemetry: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address of the OpenTelemetry receiver cannot be read")
	}
	r.Header = e.headers.Clone()
	r.Header.Set("Content-Type", "application/x-protobuf")
	// What is sent elsewhere than it was told would take the headers' secrets along.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("sending metrics to the OpenTelemetry receiver at %s: %w", r.URL.Host, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case res.StatusCode/100 != 2:
		return fmt.Errorf("the OpenTelemetry receiver at %s did not take the metrics: %s", r.URL.Host, res.Status)
	case err != nil:
		return fmt.Errorf("reading the answer of the OpenTelemetry receiver at %s: %w", r.URL.Host, err)
	}
	if n, why := rejected(answer); n > 0 {
		return fmt.Errorf("the OpenTelemetry receiver at %s rejected %d values: %s", r.URL.Host, n, strings.Join(strings.Fields(why), " "))
	}
	return nil
}

// message is an ExportMetricsServiceRequest, which on the wire is MetricsData.
func (e *Exporter) message(all []*metrics.Metric) *metricspb.MetricsData {
	now := time.Now()
	scope := &metricspb.ScopeMetrics{Scope: &commonpb.InstrumentationScope{Name: "planvet", Version: e.Version}}
	for _, m := range all {
		name, unit := named(m.Name)
		out := &metricspb.Metric{Name: name, Unit: unit, Description: m.Help}
		var points []*metricspb.NumberDataPoint
		for _, s := range m.Series {
			at := s.At
			if at.IsZero() {
				at = now
			}
			p := &metricspb.NumberDataPoint{TimeUnixNano: uint64(at.UnixNano()), Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: s.Value}}
			if !s.Since.IsZero() {
				p.StartTimeUnixNano = uint64(s.Since.UnixNano())
			}
			for _, a := range s.Attributes {
				p.Attributes = append(p.Attributes, attribute(a.Name, a.Value))
			}
			points = append(points, p)
		}
		if m.Kind == metrics.Counter {
			out.Data = &metricspb.Metric_Sum{Sum: &metricspb.Sum{
				DataPoints: points, IsMonotonic: true, AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}}
		} else {
			out.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: points}}
		}
		scope.Metrics = append(scope.Metrics, out)
	}
	return &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource:     &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("service.name", "planvet"), attribute("service.version", e.Version)}},
		ScopeMetrics: []*metricspb.ScopeMetrics{scope},
	}}}
}

func attribute(name, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: strings.ToValidUTF8(value, "�")}}}
}

// named is a name of Prometheus's as OpenTelemetry has it: the unit apart, and no _total.
// Prometheus makes the same name of it again.
func named(name string) (string, string) {
	name = strings.TrimSuffix(name, "_total")
	unit := "1"
	for suffix, u := range map[string]string{"_seconds": "s", "_bytes": "By"} {
		if rest, ok := strings.CutSuffix(name, suffix); ok {
			name, unit = rest, u
		}
	}
	return strings.Replace(name, "_", ".", 1), unit
}

// rejected reads the partial success of an ExportMetricsServiceResponse: its field 1 has
// the number of points that were not taken and the reason.
func rejected(answer []byte) (n uint64, why string) {
	fields := func(b []byte, f func(num protowire.Number, number uint64, text []byte)) {
		for len(b) > 0 {
			num, typ, size := protowire.ConsumeTag(b)
			if size < 0 {
				return
			}
			b = b[size:]
			switch typ {
			case protowire.VarintType:
				var v uint64
				if v, size = protowire.ConsumeVarint(b); size >= 0 {
					f(num, v, nil)
				}
			case protowire.BytesType:
				var v []byte
				if v, size = protowire.ConsumeBytes(b); size >= 0 {
					f(num, 0, v)
				}
			default:
				size = protowire.ConsumeFieldValue(num, typ, b)
			}
			if size < 0 {
				return
			}
			b = b[size:]
		}
	}
	fields(answer, func(num protowire.Number, _ uint64, partial []byte) {
		if num != 1 {
			return
		}
		fields(partial, func(num protowire.Number, number uint64, text []byte) {
			switch num {
			case 1:
				n = number
			case 2:
				why = string(text)
			}
		})
	})
	return n, why
}
