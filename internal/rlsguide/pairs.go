package rlsguide

// Pair is a policy, or a query under it, in two forms.
type Pair struct {
	// Name is the guide's number for it, and what the fast form does.
	Name string
	// Slow and Fast are what each side sets up: statements that make the policy.
	Slow, Fast []string
	// SlowSQL and FastSQL are the queries; "" counts all rows.
	SlowSQL, FastSQL string
	// Role is who asks; "" is authenticated.
	Role string
	// GuideSlow and GuideFast are the guide's milliseconds for 100,000 rows.
	GuideSlow, GuideFast float64
	// Shows is the slow form and the fast one in a line of a table.
	Shows [2]string
}

// Source is where the figures of the guide are from.
const Source = "https://supabase.com/docs/guides/troubleshooting/rls-performance-and-best-practices-Z5Jjwv"

func policy(using string) []string {
	return []string{"create policy p on records for select to authenticated using (" + using + ")"}
}

// Pairs are the guide's, by its numbers. It has no figures for 4.
var Pairs = []Pair{
	{
		Name: "1 index", Slow: policy("auth.uid() = user_id"),
		Fast:      append(policy("auth.uid() = user_id"), "create index on records (user_id)"),
		GuideSlow: 171, GuideFast: 0.1,
		Shows: [2]string{"auth.uid() = user_id", "user_id indexed"},
	},
	{
		Name: "2a wrap", Slow: policy("auth.uid() = user_id"), Fast: policy("(select auth.uid()) = user_id"),
		GuideSlow: 179, GuideFast: 9,
		Shows: [2]string{"auth.uid() = user_id", "(select auth.uid()) = user_id"},
	},
	{
		Name: "2b wrap", Slow: policy("is_admin()"), Fast: policy("(select is_admin())"),
		GuideSlow: 11_000, GuideFast: 7,
		Shows: [2]string{"is_admin()", "(select is_admin())"},
	},
	{
		Name: "2c wrap", Slow: policy("is_admin() or auth.uid() = user_id"), Fast: policy("(select is_admin()) or (select auth.uid()) = user_id"),
		GuideSlow: 11_000, GuideFast: 10,
		Shows: [2]string{"is_admin() or auth.uid() = user_id", "(select is_admin()) or (select auth.uid()) = user_id"},
	},
	{
		Name: "2d wrap", Slow: policy("has_role() = access"), Fast: policy("(select has_role()) = access"),
		GuideSlow: 178_000, GuideFast: 12,
		Shows: [2]string{"has_role() = access", "(select has_role()) = access"},
	},
	{
		Name: "2e wrap", Slow: policy("team_id = any(user_teams())"), Fast: policy("team_id = any(array(select unnest(user_teams())))"),
		GuideSlow: 173_000, GuideFast: 16,
		Shows: [2]string{"team_id = any(user_teams())", "team_id = any(array(select unnest(user_teams())))"},
	},
	{
		Name: "3 filter", Slow: policy("auth.uid() = user_id"), Fast: policy("auth.uid() = user_id"),
		FastSQL:   "select count(*) from records where user_id = '" + user + "'",
		GuideSlow: 171, GuideFast: 9,
		Shows: [2]string{"select … from records", "select … from records where user_id = '…'"},
	},
	{
		Name: "5 join", Slow: policy("auth.uid() in (select m.user_id from team_user m where m.team_id = records.team_id)"),
		Fast:      policy("team_id in (select m.team_id from team_user m where m.user_id = auth.uid())"),
		GuideSlow: 9_000, GuideFast: 20,
		Shows: [2]string{"auth.uid() in (select user_id … where team_id = records.team_id)", "team_id in (select team_id … where user_id = auth.uid())"},
	},
	{
		Name: "6 to role", Slow: []string{"create policy p on records for select using (auth.uid() = user_id)"}, Fast: policy("auth.uid() = user_id"),
		Role: "anon", GuideSlow: 170, GuideFast: 0.1,
		Shows: [2]string{"no TO, asked as anon", "to authenticated"},
	},
}

// user is whose rows are read; claims is a token as Supabase issues it for them, which
// auth.uid() takes apart at each call.
const (
	user   = "00000000-0000-4000-8000-000000000007"
	claims = `{"iss":"https://project.example/auth/v1","sub":"` + user + `","aud":"authenticated","exp":1900000000,"iat":1899996400,` +
		`"email":"person7@mail.example","phone":"","app_metadata":{"provider":"email","providers":["email"]},` +
		`"user_metadata":{"email":"person7@mail.example","email_verified":true,"phone_verified":false},"role":"authenticated",` +
		`"aal":"aal1","amr":[{"method":"password","timestamp":1899996400}],"session_id":"00000000-0000-4000-8000-0000000000aa","is_anonymous":false}`
	anonymous = `{"iss":"https://project.example/auth/v1","ref":"project","role":"anon","iat":1899996400,"exp":1900000000}`
)
