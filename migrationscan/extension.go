package migrationscan

import "github.com/planvet/planvet/catalog"

// addExtensionObjects makes an extension's types and functions known. They are
// flagged as the platform's: no file of the project defines them.
func (r *replayer) addExtensionObjects(schema, extension string) {
	x, ok := extensionObjects[extension]
	if !ok {
		return
	}
	for n, kind := range x.types {
		r.cat.AddType(&catalog.Type{Name: catalog.Name{Schema: schema, Name: n}, Kind: kind, Platform: true})
	}
	for n, result := range x.functions {
		if len(r.cat.Functions(schema, n)) > 0 {
			continue
		}
		volatility := "immutable"
		switch n {
		case "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "gen_random_bytes", "gen_salt", "moddatetime":
			volatility = "volatile"
		case "unaccent":
			volatility = "stable"
		}
		r.cat.AddFunction(&catalog.Function{
			Name: catalog.Name{Schema: schema, Name: n}, Kind: "function", Language: "c", Volatility: volatility, Returns: result, Platform: true,
		})
	}
}
