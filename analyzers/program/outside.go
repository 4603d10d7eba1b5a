package program

import (
	"go/types"
	"strings"
)

// sdks are libraries whose methods that may fail ask another service.
var sdks = []string{
	"github.com/aws/aws-sdk-go", "cloud.google.com/go", "google.golang.org/api", "github.com/Azure/azure-sdk-for-go", "github.com/minio/minio-go",
	"github.com/stripe/stripe-go", "github.com/sendgrid", "gopkg.in/gomail", "github.com/slack-go/slack", "k8s.io/client-go",
}

// Waits names what a function of other people's waits for outside of this process and
// its database: another service, a mail server, a command, the clock. It is "" for one
// that is not known to.
func Waits(o *types.Func) string {
	if o == nil || o.Pkg() == nil {
		return ""
	}
	path, name := o.Pkg().Path(), o.Name()
	recv := ""
	sig, _ := o.Type().(*types.Signature)
	if sig != nil && sig.Recv() != nil {
		_, recv = TypeName(sig.Recv().Type())
	}
	known := false
	switch path {
	case "time":
		known = recv == "" && name == "Sleep"
	case "net/http":
		switch name {
		case "Get", "Head", "Post", "PostForm":
			known = recv == "" || recv == "Client"
		case "Do":
			known = recv == "Client"
		case "RoundTrip":
			known = true
		}
	case "net/smtp":
		known = name == "SendMail"
	case "os/exec":
		known = recv == "Cmd" && (name == "Run" || name == "Output" || name == "CombinedOutput" || name == "Wait")
	case "google.golang.org/grpc":
		known = name == "Invoke"
	default:
		known = recv != "" && asks(path, sig)
	}
	if !known {
		return ""
	}
	if recv != "" {
		name = recv + "." + name
	}
	return o.Pkg().Name() + "." + name
}

// asks reports whether a method of an SDK may fail: its last result is an error.
func asks(path string, sig *types.Signature) bool {
	n := sig.Results().Len()
	if n == 0 || sig.Results().At(n-1).Type().String() != "error" {
		return false
	}
	for _, root := range sdks {
		if rest, ok := strings.CutPrefix(path, root); ok && (rest == "" || rest[0] == '/' || rest[0] == '-') {
			return true
		}
	}
	return false
}

// outsideDepth bounds the functions between a call and what waits.
const outsideDepth = 6

// Outside names what a call may wait for outside of this process and its database,
// itself or through functions of these packages; "" for nothing known. Known gives what
// is known of functions in other packages, by key; nil knows nothing.
func (p *Program) Outside(s Site, known func(key string) string) string {
	for _, c := range p.Callees(s.In.Pkg, s.Call) {
		if w := p.outside(c, known, 0); w != "" {
			return w
		}
	}
	return ""
}

func (p *Program) outside(c Callee, known func(string) string, depth int) string {
	if c.Func == nil {
		if w := Waits(c.Obj); w != "" || known == nil {
			return w
		}
		return known(c.Key)
	}
	if w, ok := p.waits[c.Func]; ok {
		return w
	}
	if depth > outsideDepth {
		return ""
	}
	p.waits[c.Func] = "" // a recursion waits for what its other calls do
	for _, call := range c.Func.Calls {
		for _, d := range p.Callees(c.Func.Pkg, call) {
			if w := p.outside(d, known, depth+1); w != "" {
				p.waits[c.Func] = w
				return w
			}
		}
	}
	return ""
}
