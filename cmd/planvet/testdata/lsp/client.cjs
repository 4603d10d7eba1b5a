// A client made of the library that VS Code's is made of. It does what lines on standard
// input say, an operation each, and writes replies and what the server sends, a line each.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { pathToFileURL, fileURLToPath } = require("node:url");
const lsp = require("vscode-languageserver-protocol/node");
const { TextDocument } = require("vscode-languageserver-textdocument");

const say = (m) => process.stdout.write(JSON.stringify(m) + "\n");
const uriOf = (file) => pathToFileURL(file).toString();
const documents = new Map(); // open ones, by URI
let connection, server;

function start({ command, args, cwd }) {
  server = spawn(command, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  server.stderr.on("data", (b) => say({ event: "stderr", value: b.toString() }));
  server.on("exit", (code, signal) => say({ event: "exit", value: { code, signal } }));
  connection = lsp.createProtocolConnection(new lsp.StreamMessageReader(server.stdout), new lsp.StreamMessageWriter(server.stdin));
  connection.onError(([err]) => say({ event: "error", value: String(err) }));
  connection.onUnhandledNotification((n) => say({ event: "unhandled", value: n }));
  for (const [event, type] of Object.entries({
    diagnostics: lsp.PublishDiagnosticsNotification.type, log: lsp.LogMessageNotification.type, show: lsp.ShowMessageNotification.type,
  })) connection.onNotification(type, (value) => say({ event, value }));
  connection.onRequest(lsp.RegistrationRequest.type, (value) => say({ event: "register", value }));
  connection.onRequest(lsp.WorkDoneProgressCreateRequest.type, ({ token }) => {
    connection.onProgress(lsp.WorkDoneProgress.type, token, (value) => say({ event: "progress", value: { token, ...value } }));
  });
  connection.listen();
}

function open({ file }) {
  const uri = uriOf(file), languageId = path.extname(file).slice(1);
  const document = TextDocument.create(uri, languageId, 1, fs.readFileSync(file, "utf8"));
  documents.set(uri, document);
  return connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument: { uri, languageId, version: 1, text: document.getText() } });
}

async function change(uri, text) {
  const document = documents.get(uri);
  TextDocument.update(document, [{ text }], document.version + 1);
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, { textDocument: { uri, version: document.version }, contentChanges: [{ text }] });
}

async function save(uri) {
  fs.writeFileSync(fileURLToPath(uri), documents.get(uri).getText());
  await connection.sendNotification(lsp.DidSaveTextDocumentNotification.type, { textDocument: { uri } });
}

// apply makes an edit as an editor does: files are made, texts are changed by the
// library, what changed is saved, and what is not open is told as changed outside.
async function apply(edit) {
  const touched = new Set();
  for (const change of edit.documentChanges ?? []) {
    if (change.kind === "create") {
      const file = fileURLToPath(change.uri);
      if (fs.existsSync(file)) throw new Error(file + " is there");
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, "");
    } else {
      await applyEdits(change.textDocument.uri, change.edits, change.textDocument.version);
      touched.add(change.textDocument.uri);
    }
  }
  for (const [uri, edits] of Object.entries(edit.changes ?? {})) {
    await applyEdits(uri, edits, null);
    touched.add(uri);
  }
  const outside = [];
  for (const uri of touched) {
    if (documents.has(uri)) await save(uri);
    else outside.push({ uri, type: lsp.FileChangeType.Changed });
  }
  if (outside.length > 0) await connection.sendNotification(lsp.DidChangeWatchedFilesNotification.type, { changes: outside });
  return [...touched];
}

async function applyEdits(uri, edits, version) {
  const document = documents.get(uri);
  const plain = edits.map((e) => e.snippet ? { range: e.range, newText: e.snippet.value.replace(/\$\{1:([^}]*)\}/, "$1").replace(/\\(.)/g, "$1") } : e);
  if (document) {
    if (version !== null && version !== document.version) throw new Error(`an edit of version ${version}, of ${document.version}`);
    await change(uri, TextDocument.applyEdits(document, plain));
    return;
  }
  const file = fileURLToPath(uri);
  const now = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  fs.writeFileSync(file, TextDocument.applyEdits(TextDocument.create(uri, "", 0, now), plain));
}

const cancels = new Map();
const operations = {
  start, open, apply: ({ edit }) => apply(edit),
  change: ({ file, text }) => change(uriOf(file), text),
  save: ({ file }) => save(uriOf(file)),
  close: ({ file }) => {
    documents.delete(uriOf(file));
    return connection.sendNotification(lsp.DidCloseTextDocumentNotification.type, { textDocument: { uri: uriOf(file) } });
  },
  request: ({ method, params, tag }) => {
    const source = new lsp.CancellationTokenSource();
    if (tag) cancels.set(tag, source);
    return connection.sendRequest(method, params, source.token);
  },
  cancel: ({ tag }) => cancels.get(tag).cancel(),
  notify: ({ method, params }) => connection.sendNotification(method, params),
  raw: ({ text }) => { server.stdin.write(text); },
  end: () => { server.stdin.end(); },
};

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, op, ...rest } = JSON.parse(line);
  try {
    say({ reply: id, value: (await operations[op](rest)) ?? null });
  } catch (err) {
    say({ reply: id, error: String(err.message ?? err), code: err.code });
  }
}).on("close", () => process.exit(0));
