package lsp

import "encoding/json"

// What follows is of the Language Server Protocol 3.17, and of 3.18 where it says so:
// the part that planvet speaks.

// Position counts lines from 0, and characters in the encoding agreed on.
type Position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// Range ends before End.
type Range struct {
	Start Position `json:"start"`
	End   Position `json:"end"`
}

// Location is a range of a file.
type Location struct {
	URI   string `json:"uri"`
	Range Range  `json:"range"`
}

type textDocument struct {
	URI     string `json:"uri"`
	Version *int   `json:"version,omitempty"`
	Text    string `json:"text,omitempty"`
}

type initializeParams struct {
	ProcessID    *int             `json:"processId"`
	RootURI      string           `json:"rootUri"`
	RootPath     string           `json:"rootPath"`
	Folders      []folder         `json:"workspaceFolders"`
	Options      json.RawMessage  `json:"initializationOptions"`
	Capabilities clientAbilities  `json:"capabilities"`
	ClientInfo   *json.RawMessage `json:"clientInfo"`
}

type folder struct {
	URI  string `json:"uri"`
	Name string `json:"name"`
}

// clientAbilities is what a client says that it can do.
type clientAbilities struct {
	General struct {
		PositionEncodings []string `json:"positionEncodings"`
	} `json:"general"`
	Window struct {
		WorkDoneProgress bool `json:"workDoneProgress"`
	} `json:"window"`
	Workspace struct {
		WorkspaceEdit struct {
			DocumentChanges    bool     `json:"documentChanges"`
			ResourceOperations []string `json:"resourceOperations"`
			// SnippetEdits is of 3.18.
			SnippetEdits bool `json:"snippetEditSupport"`
		} `json:"workspaceEdit"`
		WatchedFiles struct {
			DynamicRegistration bool `json:"dynamicRegistration"`
		} `json:"didChangeWatchedFiles"`
	} `json:"workspace"`
	TextDocument struct {
		Hover struct {
			ContentFormat []string `json:"contentFormat"`
		} `json:"hover"`
		CodeAction struct {
			Literal *json.RawMessage `json:"codeActionLiteralSupport"`
		} `json:"codeAction"`
		PublishDiagnostics struct {
			RelatedInformation bool             `json:"relatedInformation"`
			TagSupport         *json.RawMessage `json:"tagSupport"`
			CodeDescription    bool             `json:"codeDescriptionSupport"`
		} `json:"publishDiagnostics"`
	} `json:"textDocument"`
}

// diagnostic is what a client shows beside a text.
type diagnostic struct {
	Range       Range           `json:"range"`
	Severity    int             `json:"severity"`
	Code        string          `json:"code,omitempty"`
	Description *description    `json:"codeDescription,omitempty"`
	Source      string          `json:"source"`
	Message     string          `json:"message"`
	Tags        []int           `json:"tags,omitempty"`
	Related     []relatedPlace  `json:"relatedInformation,omitempty"`
	Data        *diagnosticData `json:"data,omitempty"`
}

type description struct {
	Href string `json:"href"`
}

type relatedPlace struct {
	Location Location `json:"location"`
	Message  string   `json:"message"`
}

// diagnosticData comes back with the diagnostic when a client asks for actions.
type diagnosticData struct {
	Finding string `json:"finding"`
}

// Severities of diagnostics, kinds of messages and the tag of what is not needed.
const (
	severityError       = 1
	severityWarning     = 2
	severityInformation = 3

	messageError   = 1
	messageWarning = 2
	messageInfo    = 3
	messageLog     = 4

	tagUnnecessary = 1
)

type publishParams struct {
	URI         string       `json:"uri"`
	Version     *int         `json:"version,omitempty"`
	Diagnostics []diagnostic `json:"diagnostics"`
}

type positionParams struct {
	TextDocument textDocument `json:"textDocument"`
	Position     Position     `json:"position"`
}

type hover struct {
	Contents markup `json:"contents"`
	Range    Range  `json:"range"`
}

type markup struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

type codeActionParams struct {
	TextDocument textDocument `json:"textDocument"`
	Range        Range        `json:"range"`
	Context      struct {
		Diagnostics []struct {
			Source string          `json:"source"`
			Data   json.RawMessage `json:"data"`
		} `json:"diagnostics"`
		Only []string `json:"only"`
	} `json:"context"`
}

type codeAction struct {
	Title       string         `json:"title"`
	Kind        string         `json:"kind"`
	Diagnostics []diagnostic   `json:"diagnostics,omitempty"`
	Preferred   bool           `json:"isPreferred,omitempty"`
	Edit        *workspaceEdit `json:"edit,omitempty"`
	Command     *command       `json:"command,omitempty"`
}

type command struct {
	Title     string `json:"title"`
	Command   string `json:"command"`
	Arguments []any  `json:"arguments,omitempty"`
}

// workspaceEdit has Changes for clients that take nothing else.
type workspaceEdit struct {
	Changes         map[string][]textEdit `json:"changes,omitempty"`
	DocumentChanges []any                 `json:"documentChanges,omitempty"`
}

type createFile struct {
	Kind    string        `json:"kind"` // create
	URI     string        `json:"uri"`
	Options createOptions `json:"options"`
}

type createOptions struct {
	IgnoreIfExists bool `json:"ignoreIfExists"`
}

type documentEdit struct {
	TextDocument versioned `json:"textDocument"`
	Edits        []any     `json:"edits"`
}

// versioned names a document; the version is null where it is not open.
type versioned struct {
	URI     string `json:"uri"`
	Version *int   `json:"version"`
}

type textEdit struct {
	Range   Range  `json:"range"`
	NewText string `json:"newText"`
}

// snippetEdit is of 3.18.
type snippetEdit struct {
	Range   Range   `json:"range"`
	Snippet snippet `json:"snippet"`
}

type snippet struct {
	Kind  string `json:"kind"` // snippet
	Value string `json:"value"`
}
