// Made by Scripts/make-endpoints.py from the files in Policy/; a test holds it to them.

/// The table of operations: Policy/endpoints.tsv.
// swift-format-ignore
let endpointText: StaticString = #"""
# version 2026-11 getsentry/sentry@66d2e2c32db6 openapi 0.272.0
# The operations of Sentry's web API, under /api/0: what each does, and how its projects are chosen. docs/rights.md says how rights use it.
# path      {org} {project} {team} by slug or number; {x:d} digits, {x:e} event id, {x:h} hexadecimal, {x:free} any text, {x:*} the rest
# effect    read, write, secret (hands out credentials or raw data), read-by-POST, write-on-GET
# class     instance server user mint: in no set without a `danger` line; personal raw cost credential: add-on sets; identity: answered by
#           the proxy; bulk: changes all that a query meets; outside: Sentry asks a third party; anonymous: needs no credential
# selects   how projects are chosen: path, object (an issue), query (parameters project or projectSlug), query-id (project alone),
#           query-code and query~ (perhaps, unread), body:NAME (a member of the body, ? when it may be absent: the query decides then),
#           body~ (unread), organization (not), - (nothing)
# scopes    any of them is enough for Sentry; source says where they are from, `rule` is by the family of the path
# seen      which Sentry has it: 23.7.1, 2026 or both
method	path	effect	class	selects	object	verb	scopes	source	seen	note
POST	/relays/register/challenge/	write	server	-	instance	create	-	23.7.1	23.7.1+2026	registration of Relays
POST	/relays/register/response/	write	server	-	instance	create	-	23.7.1	23.7.1+2026	registration of Relays
POST	/relays/projectconfigs/	secret	server	-	instance	create	-	23.7.1	23.7.1+2026	POST that reads, signed by a Relay; has project keys and scrubbing rules
POST	/relays/publickeys/	secret	server	-	instance	create	-	23.7.1	23.7.1+2026	POST that reads, signed by a Relay; has project keys and scrubbing rules
GET	/relays/live/	read	anonymous	-	instance	list	-	23.7.1	23.7.1+2026	health of the Relay side
DELETE	/relays/{relay_id}/	write	server	-	instance	delete	-	23.7.1	23.7.1+2026	registration of Relays
DELETE	/issues/{issue_id}/	write	-	object	issue	delete	event:admin	23.7.1	23.7.1+2026	-
GET	/issues/{issue_id}/	read	-	object	issue	read	event:admin event:read event:write	23.7.1	23.7.1+2026	-
PUT	/issues/{issue_id}/	write	-	object	issue	update	event:admin event:write	23.7.1	23.7.1+2026	-
DELETE	/groups/{issue_id}/	write	-	object	issue	delete	event:admin	23.7.1	2026	-
GET	/groups/{issue_id}/	read	-	object	issue	read	event:admin event:read event:write	23.7.1	2026	-
PUT	/groups/{issue_id}/	write	-	object	issue	update	event:admin event:write	23.7.1	2026	-
DELETE	/organizations/{org}/issues/{issue_id}/	write	-	object	issue	delete	event:admin	openapi	23.7.1+2026	-
GET	/organizations/{org}/issues/{issue_id}/	read	-	object	issue	read	event:admin event:read event:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/issues/{issue_id}/	write	-	object	issue	update	event:admin event:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/groups/{issue_id}/	write	-	object	issue	delete	event:admin	23.7.1	2026	-
GET	/organizations/{org}/groups/{issue_id}/	read	-	object	issue	read	event:admin event:read event:write	23.7.1	2026	-
PUT	/organizations/{org}/groups/{issue_id}/	write	-	object	issue	update	event:admin event:write	23.7.1	2026	-
GET	/issues/{issue_id}/activities/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/activities/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/activities/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/activities/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/events/	read	-	object	event	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/events/	read	-	object	event	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/events/	read	-	object	event	list	event:admin event:read event:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/events/	read	-	object	event	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/events/{event_id:e|latest|oldest|recommended}/	read	-	object	event	read	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/events/{event_id:e|latest|oldest|recommended}/	read	-	object	event	read	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/events/{event_id:e|latest|oldest|recommended}/	read	-	object	event	read	event:admin event:read event:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/events/{event_id:e|latest|oldest|recommended}/	read	-	object	event	read	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/notes/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/issues/{issue_id}/notes/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/groups/{issue_id}/notes/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/groups/{issue_id}/notes/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/notes/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/organizations/{org}/issues/{issue_id}/notes/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/organizations/{org}/groups/{issue_id}/notes/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/organizations/{org}/groups/{issue_id}/notes/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/issues/{issue_id}/comments/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/issues/{issue_id}/comments/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/groups/{issue_id}/comments/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/groups/{issue_id}/comments/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/comments/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/organizations/{org}/issues/{issue_id}/comments/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
GET	/organizations/{org}/groups/{issue_id}/comments/	read	-	object	comment	list	event:admin event:read event:write	23.7.1	2026	-
POST	/organizations/{org}/groups/{issue_id}/comments/	write	-	object	comment	create	event:admin event:write	23.7.1	2026	-
DELETE	/issues/{issue_id}/notes/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/issues/{issue_id}/notes/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/groups/{issue_id}/notes/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/groups/{issue_id}/notes/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/organizations/{org}/issues/{issue_id}/notes/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/organizations/{org}/issues/{issue_id}/notes/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/organizations/{org}/groups/{issue_id}/notes/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/organizations/{org}/groups/{issue_id}/notes/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/issues/{issue_id}/comments/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/issues/{issue_id}/comments/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/groups/{issue_id}/comments/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/groups/{issue_id}/comments/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/organizations/{org}/issues/{issue_id}/comments/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/organizations/{org}/issues/{issue_id}/comments/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
DELETE	/organizations/{org}/groups/{issue_id}/comments/{note_id}/	write	-	object	comment	delete	event:admin	23.7.1	2026	-
PUT	/organizations/{org}/groups/{issue_id}/comments/{note_id}/	write	-	object	comment	update	event:admin event:write	23.7.1	2026	-
GET	/issues/{issue_id}/hashes/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
PUT	/issues/{issue_id}/hashes/	write	-	object	issue	update	event:write	rule	2026	-
GET	/groups/{issue_id}/hashes/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
PUT	/groups/{issue_id}/hashes/	write	-	object	issue	update	event:write	rule	2026	-
GET	/organizations/{org}/issues/{issue_id}/hashes/	read	-	object	issue	list	event:admin event:read event:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/issues/{issue_id}/hashes/	write	-	object	issue	update	event:write	rule	2026	-
GET	/organizations/{org}/groups/{issue_id}/hashes/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
PUT	/organizations/{org}/groups/{issue_id}/hashes/	write	-	object	issue	update	event:write	rule	2026	-
POST	/issues/{issue_id}/reprocessing/	write	-	object	issue	create	event:admin event:write	23.7.1	23.7.1+2026	-
POST	/groups/{issue_id}/reprocessing/	write	-	object	issue	create	event:admin event:write	23.7.1	2026	-
POST	/organizations/{org}/issues/{issue_id}/reprocessing/	write	-	object	issue	create	event:admin event:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/groups/{issue_id}/reprocessing/	write	-	object	issue	create	event:admin event:write	23.7.1	2026	-
GET	/issues/{issue_id}/stats/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/stats/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/stats/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/stats/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/tags/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/tags/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/tags/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/tags/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/tags/{key:free}/	read	-	object	tag	read	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/tags/{key:free}/	read	-	object	tag	read	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/tags/{key:free}/	read	-	object	tag	read	event:admin event:read event:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/tags/{key:free}/	read	-	object	tag	read	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/tags/{key:free}/values/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/tags/{key:free}/values/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/tags/{key:free}/values/	read	-	object	tag	list	event:admin event:read event:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/tags/{key:free}/values/	read	-	object	tag	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/user-feedback/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/groups/{issue_id}/user-feedback/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/user-feedback/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/groups/{issue_id}/user-feedback/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/user-reports/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/groups/{issue_id}/user-reports/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/user-reports/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/groups/{issue_id}/user-reports/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/attachments/	read	-	object	attachment	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/attachments/	read	-	object	attachment	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/attachments/	read	-	object	attachment	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/attachments/	read	-	object	attachment	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/similar/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/similar/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/similar/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/similar/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/similar-issues-embeddings/	read	cost	object	issue	list	event:read	rule	2026	computes an embedding with a model
GET	/groups/{issue_id}/similar-issues-embeddings/	read	cost	object	issue	list	event:read	rule	2026	computes an embedding with a model
GET	/organizations/{org}/issues/{issue_id}/similar-issues-embeddings/	read	cost	object	issue	list	event:read org:read	rule	2026	computes an embedding with a model
GET	/organizations/{org}/groups/{issue_id}/similar-issues-embeddings/	read	cost	object	issue	list	event:read org:read	rule	2026	computes an embedding with a model
GET	/issues/{issue_id}/external-issues/	read	-	object	link	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/external-issues/	read	-	object	link	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/external-issues/	read	-	object	link	list	event:admin event:read event:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/external-issues/	read	-	object	link	list	event:admin event:read event:write	23.7.1	2026	-
DELETE	/issues/{issue_id}/external-issues/{external_issue_id:d}/	write	-	object	link	delete	event:admin	23.7.1	23.7.1+2026	-
DELETE	/groups/{issue_id}/external-issues/{external_issue_id:d}/	write	-	object	link	delete	event:admin	23.7.1	2026	-
DELETE	/organizations/{org}/issues/{issue_id}/external-issues/{external_issue_id:d}/	write	-	object	link	delete	event:admin	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/groups/{issue_id}/external-issues/{external_issue_id:d}/	write	-	object	link	delete	event:admin	23.7.1	2026	-
GET	/issues/{issue_id}/integrations/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/integrations/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/integrations/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/integrations/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
DELETE	/issues/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	delete	event:admin	23.7.1	23.7.1+2026	-
GET	/issues/{issue_id}/integrations/{integration_id:d}/	read	-	object	link	read	event:admin event:read event:write	23.7.1	23.7.1+2026	-
POST	/issues/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	create	event:admin event:write	23.7.1	23.7.1+2026	-
PUT	/issues/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	update	event:admin event:write	23.7.1	23.7.1+2026	-
DELETE	/groups/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	delete	event:admin	23.7.1	2026	-
GET	/groups/{issue_id}/integrations/{integration_id:d}/	read	-	object	link	read	event:admin event:read event:write	23.7.1	2026	-
POST	/groups/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	create	event:admin event:write	23.7.1	2026	-
PUT	/groups/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	update	event:admin event:write	23.7.1	2026	-
DELETE	/organizations/{org}/issues/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	delete	event:admin	openapi	23.7.1+2026	-
GET	/organizations/{org}/issues/{issue_id}/integrations/{integration_id:d}/	read	-	object	link	read	event:admin event:read event:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/issues/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	create	event:admin event:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/issues/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	update	event:admin event:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/groups/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	delete	event:admin	23.7.1	2026	-
GET	/organizations/{org}/groups/{issue_id}/integrations/{integration_id:d}/	read	-	object	link	read	event:admin event:read event:write	23.7.1	2026	-
POST	/organizations/{org}/groups/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	create	event:admin event:write	23.7.1	2026	-
PUT	/organizations/{org}/groups/{issue_id}/integrations/{integration_id:d}/	write	-	object	link	update	event:admin event:write	23.7.1	2026	-
GET	/issues/{issue_id}/current-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/groups/{issue_id}/current-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/issues/{issue_id}/current-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/current-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/issues/{issue_id}/related-issues/	read	-	object	issue	list	event:read	rule	2026	-
GET	/groups/{issue_id}/related-issues/	read	-	object	issue	list	event:read	rule	2026	-
GET	/organizations/{org}/issues/{issue_id}/related-issues/	read	-	object	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/groups/{issue_id}/related-issues/	read	-	object	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/issues/{issue_id}/autofix/	read	-	object	seer	list	event:admin event:read event:write	openapi	2026	-
POST	/organizations/{org}/issues/{issue_id}/autofix/	write	cost	object	seer	create	event:admin event:write	openapi	2026	starts an agent run that may open a pull request
GET	/organizations/{org}/groups/{issue_id}/autofix/	read	-	object	seer	list	event:read org:read	rule	2026	-
POST	/organizations/{org}/groups/{issue_id}/autofix/	write	cost	object	seer	create	event:write	rule	2026	starts an agent run that may open a pull request
GET	/organizations/{org}/issues/{issue_id}/autofix/setup/	read	-	object	seer	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/groups/{issue_id}/autofix/setup/	read	-	object	seer	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/issues/{issue_id}/autofix/repos/	read	-	object	seer	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/groups/{issue_id}/autofix/repos/	read	-	object	seer	list	event:read org:read	rule	2026	-
POST	/organizations/{org}/issues/{issue_id}/summarize/	read-by-POST	cost	object	issue	query	event:write	rule	2026	language model run; keeps the summary
POST	/organizations/{org}/groups/{issue_id}/summarize/	read-by-POST	cost	object	issue	query	event:write	rule	2026	language model run; keeps the summary
DELETE	/auth/	write	mint	-	session	delete	-	23.7.1	23.7.1+2026	sessions, sudo, second factor, recovery
GET	/auth/	read	identity	-	session	list	-	23.7.1	23.7.1+2026	answered by the proxy for a narrowed alias
POST	/auth/	write	mint	-	session	mint	-	23.7.1	23.7.1+2026	sessions, sudo, second factor, recovery
PUT	/auth/	write	mint	-	session	update	-	23.7.1	23.7.1+2026	sessions, sudo, second factor, recovery
GET	/auth/config/	read	anonymous	-	session	list	-	23.7.1	23.7.1+2026	what the login page offers
POST	/auth/login/	write	mint	-	session	mint	-	23.7.1	23.7.1+2026	sessions, sudo, second factor, recovery
GET	/auth/organizations/{org}/config/	read	anonymous	organization	session	list	-	rule	2026	what the login page offers
POST	/auth/recovery/	write	mint	-	session	mint	-	rule	2026	sessions, sudo, second factor, recovery
POST	/auth/recovery/confirm/	write	mint	-	session	mint	-	rule	2026	sessions, sudo, second factor, recovery
POST	/auth/2fa/	write	mint	-	session	mint	-	rule	2026	sessions, sudo, second factor, recovery
GET	/auth/2fa/challenge/	read	user	-	session	list	-	rule	2026	state of a sign-in; Sentry has the POST only
POST	/auth/2fa/challenge/	write	mint	-	session	mint	-	rule	2026	sessions, sudo, second factor, recovery
GET	/auth/validate/	read	identity	-	session	list	-	rule	2026	answered by the proxy for a narrowed alias
GET	/auth-v2/csrf/	write-on-GET	user	-	session	list	-	rule	2026	sets a cookie
PUT	/auth-v2/csrf/	write	mint	-	session	update	-	rule	2026	sessions, sudo, second factor, recovery
GET	/auth-v2/flag/	read	user	-	session	list	-	rule	2026	state of the login page
GET	/auth-v2/login/	read	user	-	session	list	-	rule	2026	state of the login page
GET	/auth-v2/merge-accounts/	secret	personal	-	session	list	-	rule	2026	accounts that could be merged
POST	/auth-v2/merge-accounts/	write	mint	-	session	mint	-	rule	2026	sessions, sudo, second factor, recovery
POST	/auth-v2/user-merge-verification-codes/	write	mint	-	session	mint	-	rule	2026	sessions, sudo, second factor, recovery
GET	/broadcasts/	read	-	-	broadcasts	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
POST	/broadcasts/	write	-	-	broadcasts	create	org:admin org:write	23.7.1	23.7.1+2026	-
PUT	/broadcasts/	write	-	-	broadcasts	update	org:admin org:write	23.7.1	23.7.1+2026	-
GET	/broadcasts/{broadcast_id}/	read	-	-	broadcasts	read	-	23.7.1	23.7.1+2026	-
PUT	/broadcasts/{broadcast_id}/	write	-	-	broadcasts	update	-	23.7.1	23.7.1+2026	-
GET	/relocations/	secret	instance	-	instance	list	-	rule	2026	exports of whole organizations
POST	/relocations/	write	instance	-	instance	create	-	rule	2026	moves whole organizations
GET	/relocations/{relocation_uuid}/	secret	instance	-	instance	read	-	rule	2026	exports of whole organizations
PUT	/relocations/{relocation_uuid}/abort/	write	instance	-	instance	update	-	rule	2026	moves whole organizations
PUT	/relocations/{relocation_uuid}/cancel/	write	instance	-	instance	update	-	rule	2026	moves whole organizations
PUT	/relocations/{relocation_uuid}/pause/	write	instance	-	instance	update	-	rule	2026	moves whole organizations
PUT	/relocations/{relocation_uuid}/recover/	write	instance	-	instance	update	-	rule	2026	moves whole organizations
POST	/relocations/{relocation_uuid}/retry/	write	instance	-	instance	create	-	rule	2026	moves whole organizations
PUT	/relocations/{relocation_uuid}/unpause/	write	instance	-	instance	update	-	rule	2026	moves whole organizations
GET	/relocations/{relocation_uuid}/artifacts/	secret	instance	-	instance	list	-	rule	2026	exports of whole organizations
GET	/relocations/{relocation_uuid}/artifacts/{artifact_kind:free}/{file_name:free}	secret	instance	-	instance	read	-	rule	2026	exports of whole organizations
GET	/users/	secret	personal	-	user	list	-	23.7.1	23.7.1+2026	all accounts of the installation
DELETE	/users/{user_id}/	write	user	-	user	delete	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/	read	user	-	user	read	-	23.7.1	23.7.1+2026	bound to a person
PUT	/users/{user_id}/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/regions/	read	user	-	user	list	-	rule	2026	bound to a person
GET	/users/{user_id}/avatar/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
PUT	/users/{user_id}/avatar/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/authenticators/	secret	credential	-	user	list	-	23.7.1	23.7.1+2026	second factors, addresses, identities
GET	/users/{user_id}/authenticators/{interface_id}/enroll/	secret	credential	-	user	list	-	23.7.1	23.7.1+2026	second factors, addresses, identities
POST	/users/{user_id}/authenticators/{interface_id}/enroll/	write	user	-	user	create	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
DELETE	/users/{user_id}/authenticators/{auth_id}/{interface_device_id}/	write	user	-	user	delete	member:admin	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/authenticators/{auth_id}/{interface_device_id}/	secret	credential	-	user	read	-	23.7.1	23.7.1+2026	second factors, addresses, identities
PUT	/users/{user_id}/authenticators/{auth_id}/{interface_device_id}/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
DELETE	/users/{user_id}/authenticators/{auth_id}/	write	user	-	user	delete	member:admin	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/authenticators/{auth_id}/	secret	credential	-	user	read	-	23.7.1	23.7.1+2026	second factors, addresses, identities
PUT	/users/{user_id}/authenticators/{auth_id}/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
DELETE	/users/{user_id}/emails/	write	user	-	user	delete	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/emails/	secret	credential	-	user	list	-	23.7.1	23.7.1+2026	second factors, addresses, identities
POST	/users/{user_id}/emails/	write	user	-	user	create	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
PUT	/users/{user_id}/emails/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
POST	/users/{user_id}/emails/confirm/	write	user	-	user	create	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
DELETE	/users/{user_id}/identities/{identity_id}/	write	user	-	user	delete	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/identities/	secret	credential	-	user	list	-	23.7.1	23.7.1+2026	second factors, addresses, identities
GET	/users/{user_id}/ips/	secret	credential	-	user	list	-	23.7.1	23.7.1+2026	second factors, addresses, identities
GET	/users/{user_id}/organizations/	read	user	-	user	list	-	23.7.1	23.7.1+2026	bound to a person
GET	/users/{user_id}/notifications/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
PUT	/users/{user_id}/notifications/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/notifications/email/	secret	user	-	user	list	-	rule	2026	a person's settings
PUT	/users/{user_id}/notifications/email/	write	user	-	user	update	-	rule	2026	a person's account, password, permissions, roles
GET	/users/{user_id}/notification-options/	secret	user	-	user	list	-	rule	2026	a person's settings
PUT	/users/{user_id}/notification-options/	write	user	-	user	update	-	rule	2026	a person's account, password, permissions, roles
DELETE	/users/{user_id}/notification-options/{notification_option_id}/	write	user	-	user	delete	-	rule	2026	a person's account, password, permissions, roles
GET	/users/{user_id}/notification-providers/	secret	user	-	user	list	-	rule	2026	a person's settings
PUT	/users/{user_id}/notification-providers/	write	user	-	user	update	-	rule	2026	a person's account, password, permissions, roles
PUT	/users/{user_id}/password/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/permissions/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
GET	/users/{user_id}/permissions/config/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
DELETE	/users/{user_id}/permissions/{permission_name}/	write	user	-	user	delete	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/permissions/{permission_name}/	secret	user	-	user	read	-	23.7.1	23.7.1+2026	a person's settings
POST	/users/{user_id}/permissions/{permission_name}/	write	user	-	user	create	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/roles/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
DELETE	/users/{user_id}/roles/{role_name}/	write	user	-	user	delete	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/roles/{role_name}/	secret	user	-	user	read	-	23.7.1	23.7.1+2026	a person's settings
POST	/users/{user_id}/roles/{role_name}/	write	user	-	user	create	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/subscriptions/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
POST	/users/{user_id}/subscriptions/	write	user	-	user	create	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
PUT	/users/{user_id}/subscriptions/	write	user	-	user	update	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/organization-integrations/	secret	user	-	user	list	-	23.7.1	23.7.1+2026	a person's settings
GET	/users/{user_id}/user-identities/	secret	credential	-	user	list	-	23.7.1	23.7.1+2026	second factors, addresses, identities
DELETE	/users/{user_id}/user-identities/{category:free}/{identity_id}/	write	user	-	user	delete	-	23.7.1	23.7.1+2026	a person's account, password, permissions, roles
GET	/users/{user_id}/user-identities/{category:free}/{identity_id}/	secret	credential	-	user	read	-	23.7.1	23.7.1+2026	second factors, addresses, identities
GET	/userroles/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	roles and who has them
POST	/userroles/	write	instance	-	instance	create	-	23.7.1	23.7.1+2026	roles
DELETE	/userroles/{role_name}/	write	instance	-	instance	delete	-	23.7.1	23.7.1+2026	roles
GET	/userroles/{role_name}/	secret	instance	-	instance	read	-	23.7.1	23.7.1+2026	roles and who has them
PUT	/userroles/{role_name}/	write	instance	-	instance	update	-	23.7.1	23.7.1+2026	roles
GET	/organizations/	read	-	-	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	lists all organizations of the installation under the system token: filtered for a narrowed alias
POST	/organizations/	write	-	-	organization	create	org:admin org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/	write	-	organization	organization	delete	org:admin	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/	read	-	organization	organization	read	org:admin org:read org:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/	write	-	organization	organization	update	org:admin org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/issues/{issue_id}/derived-data/debug/	read	-	object	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/issues/{issue_id}/pull-requests/	read	-	object	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/groups/{issue_id}/pull-requests/	read	-	object	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/issues/{issue_id}/first-last-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/groups/{issue_id}/first-last-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	2026	-
GET	/organizations/{org}/shared/issues/{share_id}/	read	anonymous	organization	organization	read	-	23.7.1	23.7.1+2026	whoever has the share id may read the issue
GET	/organizations/{org}/shared/groups/{share_id}/	read	anonymous	organization	organization	read	-	23.7.1	2026	whoever has the share id may read the issue
GET	/organizations/{org}/alert-rules/	read	-	query-code	alert	list	alert_rule:read org:admin org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/alert-rules/	write	-	query-code	alert	create	alert_rule:write org:admin org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/alert-rules/available-actions/	read	outside	query~	alert	list	org:admin org:read org:write	23.7.1	23.7.1+2026	prepares components of integrations, which asks their own servers
DELETE	/organizations/{org}/alert-rules/{alert_rule_id}/	write	-	organization	alert	delete	alert_rule:write org:admin org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/alert-rules/{alert_rule_id}/	read	outside	query~	alert	read	alert_rule:read org:admin org:read org:write	23.7.1	23.7.1+2026	prepares components of integrations, which asks their own servers
PUT	/organizations/{org}/alert-rules/{alert_rule_id}/	write	-	organization	alert	update	alert_rule:write org:admin org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/combined-rules/	read	-	query-code	alert	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/ondemand-rules-stats/	read	-	organization	organization	list	org:read	rule	2026	-
POST	/organizations/{org}/data-export/	write	-	body~	organization	create	event:admin event:read event:write	23.7.1	23.7.1+2026	makes an export file
GET	/organizations/{org}/data-export/{data_export_id}/	secret	raw	organization	organization	download	event:admin event:read event:write	23.7.1	23.7.1+2026	with ?download the exported table
DELETE	/organizations/{org}/data-secrecy/	write	-	organization	organization	delete	org:admin	rule	2026	-
GET	/organizations/{org}/data-secrecy/	read	-	organization	organization	list	org:read	rule	2026	-
POST	/organizations/{org}/data-secrecy/	write	-	organization	organization	create	org:write	rule	2026	-
GET	/organizations/{org}/intercom-jwt/	secret	credential	organization	organization	list	org:admin org:read org:write	2026-file	2026	makes a signed identity token
GET	/organizations/{org}/incidents/{incident_identifier}/	read	-	query~	alert	read	org:admin org:read org:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/incidents/	read	-	query-code	alert	list	org:admin org:read org:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/chunk-upload/	read	-	organization	artifact	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/chunk-upload/	write	-	organization	artifact	upload	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/code-mappings/	read	-	query-code	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/code-mappings/	write	-	body~	integration	create	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/code-mappings/bulk/	write	-	body:project	integration	create	org:write	rule	2026	-
GET	/organizations/{org}/derive-code-mappings/	read	outside	organization	organization	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	asks the source code provider with the stored credentials
POST	/organizations/{org}/derive-code-mappings/	write	-	organization	organization	create	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/code-mappings/{config_id}/	write	-	organization	integration	delete	org:admin org:integrations	23.7.1	23.7.1+2026	-
PUT	/organizations/{org}/code-mappings/{config_id}/	write	-	organization	integration	update	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/code-mappings/{config_id}/codeowners/	read	outside	organization	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	asks the source code provider with the stored credentials
GET	/organizations/{org}/forwarding/	secret	credential	organization	integration	list	org:read	openapi	2026	keys of the places that events are forwarded to
POST	/organizations/{org}/forwarding/	write	-	organization	integration	create	org:write	openapi	2026	-
DELETE	/organizations/{org}/forwarding/{data_forwarder_id}/	write	-	organization	integration	delete	org:write	openapi	2026	-
PUT	/organizations/{org}/forwarding/{data_forwarder_id}/	write	-	organization	integration	update	org:write	openapi	2026	-
GET	/organizations/{org}/codeowners-associations/	read	-	organization	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/discover/homepage/	write	-	query-code	saved-view	delete	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/discover/homepage/	read	-	query-code	saved-view	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
PUT	/organizations/{org}/discover/homepage/	write	-	query-code	saved-view	update	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/discover/saved/	read	-	query-code	saved-view	list	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/discover/saved/	write	-	body~	saved-view	create	org:admin org:read org:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/discover/saved/{query_id:d}/	write	-	query-code	saved-view	delete	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/discover/saved/{query_id:d}/	read	-	query-code	saved-view	read	org:admin org:read org:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/discover/saved/{query_id:d}/	write	-	query-code	saved-view	update	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/discover/saved/{query_id:d}/visit/	write	-	organization	saved-view	create	org:admin org:read org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/key-transactions/	write	-	organization	organization	delete	org:read	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/key-transactions/	read	-	query~	organization	list	org:read	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/key-transactions/	write	-	organization	organization	create	org:read	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/key-transactions-list/	read	-	query-code	organization	list	org:read	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/related-issues/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/project-transaction-threshold-override/	write	-	query-code	organization	delete	org:read	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/project-transaction-threshold-override/	read	-	query-code	organization	list	org:read	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/project-transaction-threshold-override/	write	-	query-code	organization	create	org:read	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/insights/starred-segments/	write	-	organization	organization	delete	org:admin	rule	2026	-
POST	/organizations/{org}/insights/starred-segments/	write	-	organization	organization	create	org:write	rule	2026	-
GET	/organizations/{org}/explore/saved/	read	-	organization	saved-view	list	org:read	rule	2026	-
POST	/organizations/{org}/explore/saved/	write	-	organization	saved-view	create	org:read	rule	2026	-
DELETE	/organizations/{org}/explore/saved/{id:d}/	write	-	organization	saved-view	delete	org:read	rule	2026	-
GET	/organizations/{org}/explore/saved/{id:d}/	read	-	organization	saved-view	read	org:read	rule	2026	-
PUT	/organizations/{org}/explore/saved/{id:d}/	write	-	organization	saved-view	update	org:read	rule	2026	-
POST	/organizations/{org}/explore/saved/{id:d}/visit/	write	-	organization	saved-view	create	org:read	rule	2026	-
POST	/organizations/{org}/explore/saved/{id:d}/starred/	write	-	organization	saved-view	create	org:read	rule	2026	-
PUT	/organizations/{org}/explore/saved/starred/order/	write	-	organization	saved-view	update	org:read	rule	2026	-
GET	/organizations/{org}/attribute-mappings/	read	-	organization	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/dashboards/	read	-	query-code	saved-view	list	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/dashboards/	write	-	body~	saved-view	create	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/dashboards/starred/	read	-	organization	saved-view	list	org:read	rule	2026	-
PUT	/organizations/{org}/dashboards/starred/order/	write	-	organization	saved-view	update	org:read	rule	2026	-
POST	/organizations/{org}/dashboards/widgets/	write	-	query-code	saved-view	create	org:admin org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/dashboards/generate/	read-by-POST	cost	organization	saved-view	query	org:read	rule	2026	language model run, proposes a dashboard
DELETE	/organizations/{org}/dashboards/{dashboard_id}/	write	-	query-code	saved-view	delete	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/dashboards/{dashboard_id}/	read	-	query-code	saved-view	read	org:admin org:read org:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/dashboards/{dashboard_id}/	write	-	query-code	saved-view	update	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/dashboards/{dashboard_id}/visit/	write	-	organization	saved-view	create	org:admin org:read org:write	23.7.1	23.7.1+2026	-
PUT	/organizations/{org}/dashboards/{dashboard_id}/favorite/	write	-	organization	saved-view	update	org:read	rule	2026	-
GET	/organizations/{org}/dashboards/{dashboard_id}/revisions/	read	-	organization	saved-view	list	org:read	rule	2026	-
GET	/organizations/{org}/dashboards/{dashboard_id}/revisions/{revision_id}/	read	-	organization	saved-view	read	org:read	rule	2026	-
POST	/organizations/{org}/dashboards/{dashboard_id}/revisions/{revision_id}/restore/	write	-	organization	saved-view	create	org:read	rule	2026	-
GET	/organizations/{org}/shortids/{issue_id}/	read	-	object	issue	read	event:admin event:read event:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/eventids/{event_id:e}/	read	-	organization	event	read	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/data-scrubbing-selector-suggestions/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/access-requests/	read	personal	organization	member	list	member:admin member:read member:write org:admin org:read org:write team:admin team:read team:write	23.7.1	23.7.1+2026	names and e-mail addresses
PUT	/organizations/{org}/access-requests/	write	-	organization	member	update	member:admin member:write org:admin org:write team:admin team:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/access-requests/{request_id:d}/	read	personal	organization	member	read	member:admin member:read member:write org:admin org:read org:write team:admin team:read team:write	23.7.1	23.7.1+2026	names and e-mail addresses
PUT	/organizations/{org}/access-requests/{request_id:d}/	write	-	organization	member	update	member:admin member:write org:admin org:write team:admin team:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/api-keys/	secret	credential	organization	credential	list	org:admin	23.7.1	23.7.1+2026	legacy keys in full
POST	/organizations/{org}/api-keys/	write	mint	organization	credential	mint	org:admin	23.7.1	23.7.1+2026	organization keys and tokens
DELETE	/organizations/{org}/api-keys/{api_key_id}/	write	mint	organization	credential	delete	org:admin	23.7.1	23.7.1+2026	organization keys and tokens
GET	/organizations/{org}/api-keys/{api_key_id}/	secret	credential	organization	credential	read	org:admin	23.7.1	23.7.1+2026	legacy keys in full
PUT	/organizations/{org}/api-keys/{api_key_id}/	write	mint	organization	credential	update	org:admin	23.7.1	23.7.1+2026	organization keys and tokens
GET	/organizations/{org}/project-keys/	secret	credential	query~	client-key	list	org:admin org:read org:write	openapi	2026	client keys (DSN) with their secret half
GET	/organizations/{org}/audit-logs/	secret	personal	organization	organization	list	org:write	23.7.1	23.7.1+2026	who did what from which address; Sentry asks org:write for it
GET	/organizations/{org}/auth-provider/	read	-	organization	organization	list	org:read	23.7.1	23.7.1+2026	configuration of single sign-on
GET	/organizations/{org}/auth-providers/	read	-	organization	organization	list	org:read	23.7.1	23.7.1+2026	configuration of single sign-on
GET	/organizations/{org}/avatar/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
PUT	/organizations/{org}/avatar/	write	-	organization	organization	update	org:admin org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/artifactbundle/assemble/	write	-	body:projects	artifact	upload	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/config/integrations/	read	-	organization	integration	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/sampling/project-rates/	read	-	query~	organization	list	org:read	rule	2026	-
PUT	/organizations/{org}/sampling/project-rates/	write	-	organization	organization	update	org:write	rule	2026	-
GET	/organizations/{org}/sampling/project-root-counts/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/sampling/effective-sample-rate/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/sampling/admin-metrics/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/sdk-updates/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/sdk-deprecations/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/sdks/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/events/	read	-	query	event	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/events/validate/	read	-	query~	event	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/events-sql/	read	-	query~	event	list	event:admin event:read event:write	2026-file	2026	-
GET	/organizations/{org}/events/{project}:{event_id:e}/	read	-	path	event	read	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-stats/	read	-	query~	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-timeseries/	read	-	query	event	list	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/events-heatmap/	read	-	query~	event	list	event:read org:read	rule	2026	-
POST	/organizations/{org}/events/anomalies/	read-by-POST	-	organization	event	query	event:write	rule	2026	evaluates given points, keeps nothing
POST	/organizations/{org}/agent/token/	write	mint	organization	credential	mint	org:admin org:read org:write	2026-file	2026	token of the Seer agent, or more scopes for it; takes org:read
POST	/organizations/{org}/agent/approve/	write	mint	organization	credential	mint	org:write	rule	2026	token of the Seer agent, or more scopes for it; takes org:read
GET	/organizations/{org}/traces/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/weekly-report-project-exclusions/	read	-	organization	organization	list	org:read	rule	2026	-
PUT	/organizations/{org}/weekly-report-project-exclusions/	write	-	organization	organization	update	org:write	rule	2026	-
DELETE	/organizations/{org}/weekly-report-project-exclusions/{project}/	write	-	path	organization	delete	org:admin	rule	2026	-
GET	/organizations/{org}/ai-conversations/	read	-	query~	organization	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/agents/conversations/	read	-	query~	organization	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/ai-conversations/{conversation_id:free}/	read	-	query~	organization	read	event:read org:read	rule	2026	-
GET	/organizations/{org}/agents/conversations/{conversation_id:free}/	read	-	query~	organization	read	event:read org:read	rule	2026	-
GET	/organizations/{org}/trace-items/attributes/	read	-	query~	trace	list	org:admin org:read org:write	openapi	2026	-
POST	/organizations/{org}/trace-items/attributes/validate/	read-by-POST	-	organization	trace	query	event:write	rule	2026	checks names
PUT	/organizations/{org}/trace-items/attributes/{key:free}/context/	write	-	organization	trace	update	event:write	rule	2026	-
PUT	/organizations/{org}/trace-items/metrics/{metric:free}/context/	write	-	organization	trace	update	event:write	rule	2026	-
GET	/organizations/{org}/trace-items/attributes/{key:free}/values/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/trace-items/attributes/ranked/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/trace-items/metrics/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/trace-items/stats/	read	-	query	trace	list	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/spans/fields/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/metrics-estimation-stats/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/events-facets/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-facets-performance/	read	-	query~	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-facets-performance-histogram/	read	-	query~	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-span-ops/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-spans/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-spans-performance/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-spans-stats/	read	-	query~	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-root-cause-analysis/	read	-	query~	event	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/events-meta/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/spans-samples/	read	-	query-code	trace	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/metrics-compatibility/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/metrics-compatibility-sums/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/missing-members/	read	personal	organization	member	list	org:read	rule	2026	names and e-mail addresses
GET	/organizations/{org}/events-histogram/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-trends/	read	-	query~	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-vitals/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-has-measurements/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-trends-stats/	read	-	query~	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-trends-statsv2/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-trace/{trace_id:e}/	read	-	query-code	event	read	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/events-trace-meta/{trace_id:e}/	read	-	query-code	event	read	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/trace/{trace_id:e}/	read	-	query~	trace	read	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/trace-meta/{trace_id:e}/	read	-	query~	trace	read	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/trace-logs/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/measurements-meta/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/issues/	write	bulk	query	issue	delete	event:admin	openapi	23.7.1+2026	without ?id it deletes every issue that the query meets
GET	/organizations/{org}/issues/	read	-	query	issue	list	event:admin event:read event:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/issues/	write	bulk	query	issue	update	event:admin event:write	openapi	23.7.1+2026	without ?id it changes every issue that the query meets
GET	/organizations/{org}/issues-count/	read	-	query-code	issue	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/issues-stats/	read	-	query-code	issue	list	event:admin event:read event:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/issues-with-supergroups/	read	-	query~	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/issues-metrics/	read	-	query~	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/issues-timeseries/	read	-	query~	issue	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/monitoring-providers/	secret	credential	organization	monitor	list	org:read	rule	2026	connections to monitoring providers (i)
POST	/organizations/{org}/monitoring-providers/gcp/verify-connection/	write	-	organization	monitor	create	org:write	rule	2026	-
DELETE	/organizations/{org}/monitoring-providers/{provider_key}/	write	-	organization	monitor	delete	org:admin	rule	2026	-
POST	/organizations/{org}/monitoring-providers/{provider_key}/	write	-	organization	monitor	create	org:write	rule	2026	-
PUT	/organizations/{org}/monitoring-providers/{provider_key}/	write	-	organization	monitor	update	org:write	rule	2026	-
GET	/organizations/{org}/integrations/	read	-	organization	integration	list	org:admin org:integrations org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/integrations/direct-enable/{provider_key}/	write	-	organization	integration	create	org:write	rule	2026	-
GET	/organizations/{org}/integrations/coding-agents/	read	-	organization	integration	list	org:read	rule	2026	-
DELETE	/organizations/{org}/integrations/{integration_id}/	write	-	organization	link	delete	org:admin org:integrations	openapi	23.7.1+2026	-
GET	/organizations/{org}/integrations/{integration_id}/	read	-	organization	link	read	org:admin org:integrations org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/integrations/{integration_id}/	write	-	organization	link	create	org:admin org:integrations org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/integrations/{integration_id}/repos/	read	outside	organization	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	asks the provider with the stored credentials
POST	/organizations/{org}/integrations/{integration_id}/repo-sync/	write	-	organization	integration	create	org:write	rule	2026	-
GET	/organizations/{org}/integrations/{integration_id}/channels/	read	outside	organization	integration	list	org:read	rule	2026	asks the provider with the stored credentials
GET	/organizations/{org}/integrations/{integration_id}/channel-validate/	read	outside	organization	integration	list	org:read	rule	2026	asks the provider with the stored credentials
PUT	/organizations/{org}/integrations/{integration_id}/issues/	write	-	organization	integration	update	org:admin org:integrations org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/integrations/{integration_id}/serverless-functions/	read	outside	organization	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	asks the provider with the stored credentials
POST	/organizations/{org}/integrations/{integration_id}/serverless-functions/	write	-	organization	integration	create	org:admin org:integrations org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/members/	read	personal	organization	member	list	member:admin member:read member:write	openapi	23.7.1+2026	names and e-mail addresses
POST	/organizations/{org}/members/	write	-	organization	member	create	member:admin member:invite member:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/external-users/	write	-	organization	organization	create	org:admin org:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/external-users/{external_user_id}/	write	-	organization	organization	delete	org:admin org:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/external-users/{external_user_id}/	write	-	organization	organization	update	org:admin org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/pipeline/{pipeline_name}/	read	user	organization	integration	read	org:read	rule	2026	state of a set-up in a session
POST	/organizations/{org}/pipeline/{pipeline_name}/	write	mint	organization	integration	mint	org:write	rule	2026	sets an integration up
POST	/organizations/{org}/integration-requests/	write	-	organization	organization	create	org:read	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/invite-requests/	read	personal	organization	member	list	member:admin member:read member:write	23.7.1	23.7.1+2026	names and e-mail addresses
POST	/organizations/{org}/invite-requests/	write	-	organization	member	create	member:admin member:read member:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/invite-requests/{member_id}/	write	-	organization	member	delete	-	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/invite-requests/{member_id}/	read	personal	organization	member	read	member:admin member:read member:write	23.7.1	23.7.1+2026	names and e-mail addresses
PUT	/organizations/{org}/invite-requests/{member_id}/	write	-	organization	member	update	-	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/notifications/actions/	read	-	query-id	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/notifications/actions/	write	-	query-code	organization	create	org:admin org:read org:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/notifications/actions/{action_id}/	write	-	query-code	organization	delete	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/notifications/actions/{action_id}/	read	-	query-code	organization	read	org:admin org:read org:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/notifications/actions/{action_id}/	write	-	query-code	organization	update	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/notifications/available-actions/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/monitors/	read	-	query	monitor	list	alerts:read org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/monitors/	write	-	body:project	monitor	create	alerts:write org:admin org:read org:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/monitors/	write	-	query-code	monitor	update	alerts:write	rule	2026	-
GET	/organizations/{org}/monitors-count/	read	-	query~	monitor	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/monitors-stats/	read	-	query~	monitor	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/processing-errors/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/monitors-schedule-data/	read	-	query~	monitor	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/monitors-schedule-buckets/	read	-	query~	monitor	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/monitors-schedule-window/	read	-	query~	monitor	list	alerts:read org:read	rule	2026	-
DELETE	/organizations/{org}/monitors/{monitor_id_or_slug:free}/	write	-	organization	monitor	delete	alerts:write project:admin project:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/monitors/{monitor_id_or_slug:free}/	read	-	query~	monitor	read	alerts:read alerts:write project:admin project:read project:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/monitors/{monitor_id_or_slug:free}/	write	-	body:project	monitor	update	alerts:write project:admin project:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/monitors/{monitor_id_or_slug:free}/environments/{environment:free}/	write	-	organization	monitor	delete	alerts:write	rule	2026	-
PUT	/organizations/{org}/monitors/{monitor_id_or_slug:free}/environments/{environment:free}/	write	-	organization	monitor	update	alerts:write	rule	2026	-
GET	/organizations/{org}/monitors/{monitor_id_or_slug:free}/stats/	read	-	query~	monitor	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/monitors/{monitor_id_or_slug:free}/checkins/	read	-	query~	monitor	list	alerts:read alerts:write project:admin project:read project:write	openapi	2026	-
GET	/organizations/{org}/group-search-views/	read	-	organization	saved-view	list	org:read	rule	2026	-
POST	/organizations/{org}/group-search-views/	write	-	organization	saved-view	create	org:write	rule	2026	-
GET	/organizations/{org}/group-search-views/starred/	read	-	organization	saved-view	list	org:read	rule	2026	-
DELETE	/organizations/{org}/group-search-views/{view_id}/	write	-	organization	saved-view	delete	org:admin	rule	2026	-
GET	/organizations/{org}/group-search-views/{view_id}/	read	-	organization	saved-view	read	org:read	rule	2026	-
PUT	/organizations/{org}/group-search-views/{view_id}/	write	-	organization	saved-view	update	org:write	rule	2026	-
POST	/organizations/{org}/group-search-views/{view_id}/visit/	write	-	organization	saved-view	create	org:write	rule	2026	-
POST	/organizations/{org}/group-search-views/{view_id}/starred/	write	-	organization	saved-view	create	org:write	rule	2026	-
PUT	/organizations/{org}/group-search-views/starred/order/	write	-	organization	saved-view	update	org:write	rule	2026	-
GET	/organizations/{org}/recent-searches/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/recent-searches/	write	-	organization	organization	create	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/dsn-lookup/	read	-	organization	client-key	list	org:read	rule	2026	finds the project of a client key that the caller has
GET	/organizations/{org}/sessions/	read	-	query	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/resolved/	read	-	query-code	release	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/members/{member_id}/	write	-	organization	member	delete	member:admin member:read member:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/members/{member_id}/	secret	credential	organization	member	read	member:admin member:read member:write	openapi	23.7.1+2026	invite link of a pending member when the caller has member:admin; second factors
PUT	/organizations/{org}/members/{member_id}/	write	-	organization	member	update	member:admin member:invite member:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/members/{member_id}/teams/{team}/	write	-	organization	member	delete	org:admin org:read org:write team:admin	openapi	23.7.1+2026	-
GET	/organizations/{org}/members/{member_id}/teams/{team}/	read	personal	organization	member	read	member:admin member:read member:write org:read org:write	23.7.1	23.7.1+2026	names and e-mail addresses
POST	/organizations/{org}/members/{member_id}/teams/{team}/	write	-	organization	member	create	org:read org:write team:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/members/{member_id}/teams/{team}/	write	-	organization	member	update	member:admin member:read member:write org:admin org:read org:write team:admin team:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/onboarding-continuation-email/	write	-	organization	organization	create	-	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/projects/	read	-	organization	project	list	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/projects/	write	-	organization	project	create	project:admin project:read project:write	openapi	2026	-
GET	/organizations/{org}/projects-count/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/sent-first-event/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/pull-requests/{pull_request_id}/files/	read	outside	organization	organization	list	project:read	rule	2026	asks the source code provider with the stored credentials
GET	/organizations/{org}/repos/	read	-	organization	repository	list	org:admin org:ci org:integrations org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/repos/	write	-	organization	repository	create	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
PUT	/organizations/{org}/repos/settings/	write	-	organization	repository	update	org:write	rule	2026	-
DELETE	/organizations/{org}/repos/{repo_id}/	write	-	organization	repository	delete	org:admin org:integrations	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/repos/{repo_id}/	read	-	organization	repository	read	org:read	rule	2026	-
GET	/organizations/{org}/repos/{repo_id}/commits/	read	-	organization	repository	list	org:admin org:read org:write	openapi	23.7.1+2026	list of commits
GET	/organizations/{org}/repos/{repo_id}/platforms/	read	outside	organization	repository	list	org:read	rule	2026	asks the source code provider with the stored credentials
GET	/organizations/{org}/legacy-webhooks/	secret	credential	organization	hook	list	org:read	rule	2026	webhook addresses, which often hold a secret
GET	/organizations/{org}/releases/	read	-	query	release	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/releases/	write	-	body:projects	release	create	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/release-thresholds/	read	-	query~	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/release-threshold-statuses/	read	-	organization	organization	list	org:ci project:admin project:read project:releases project:write	openapi	2026	-
GET	/organizations/{org}/releases/stats/	read	-	query-code	release	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
DELETE	/organizations/{org}/releases/{version:free}/	write	-	query-code	release	delete	project:admin project:releases	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/	read	-	query-id	release	read	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	-
PUT	/organizations/{org}/releases/{version:free}/	write	-	body:projects?	release	update	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/meta/	read	-	query~	release	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/releases/{version:free}/assemble/	write	-	organization	artifact	upload	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/files/	read	-	query~	artifact	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/releases/{version:free}/files/	write	-	organization	artifact	create	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
DELETE	/organizations/{org}/releases/{version:free}/files/{file_id}/	write	-	organization	artifact	delete	project:admin project:releases	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/files/{file_id}/	secret	raw	query~	artifact	download	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	with ?download a source file of a release or bundle
PUT	/organizations/{org}/releases/{version:free}/files/{file_id}/	write	-	organization	artifact	update	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/commitfiles/	read	-	query~	release	list	project:releases	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/deploys/	read	-	query~	deploy	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/releases/{version:free}/deploys/	write	-	body:projects	deploy	create	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/releases/{version:free}/commits/	read	-	query-code	release	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	list of commits
GET	/organizations/{org}/releases/{version:free}/previous-with-commits/	read	-	query~	release	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/user-feedback/	read	-	query-code	organization	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/feedback-summary/	read	cost	query~	organization	list	org:read	rule	2026	may start a language model run
GET	/organizations/{org}/feedback-categories/	read	cost	query~	organization	list	org:read	rule	2026	may start a language model run
GET	/organizations/{org}/user-teams/	read	-	organization	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/users/	read	personal	query-code	user	list	org:admin org:read org:write	23.7.1	23.7.1+2026	names and e-mail addresses
GET	/organizations/{org}/users/{user_id}/	read	personal	organization	user	read	member:admin member:read member:write	23.7.1	23.7.1+2026	names and e-mail addresses
GET	/organizations/{org}/sentry-app-installations/	secret	credential	organization	integration	list	org:integrations org:read	openapi	23.7.1+2026	grant code while it is open
POST	/organizations/{org}/sentry-app-installations/	write	-	organization	integration	create	org:admin org:integrations org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/sentry-apps/	secret	credential	organization	integration	list	org:admin org:read org:write	openapi	23.7.1+2026	client secret (hidden from most, shown to superuser-like callers)
GET	/organizations/{org}/investigations/	read	-	organization	saved-view	list	org:read	rule	2026	-
POST	/organizations/{org}/investigations/	write	-	organization	saved-view	create	org:write	rule	2026	-
GET	/organizations/{org}/investigations/candidates/	read	-	organization	saved-view	list	org:read	rule	2026	-
DELETE	/organizations/{org}/investigations/{investigation_id}/	write	-	organization	saved-view	delete	org:admin	rule	2026	-
GET	/organizations/{org}/investigations/{investigation_id}/	read	-	organization	saved-view	read	org:read	rule	2026	-
PUT	/organizations/{org}/investigations/{investigation_id}/	write	-	organization	saved-view	update	org:write	rule	2026	-
GET	/organizations/{org}/investigations/{investigation_id}/orchestration/	read	-	organization	saved-view	list	org:read	rule	2026	-
POST	/organizations/{org}/investigations/{investigation_id}/orchestration/	write	-	organization	saved-view	create	org:write	rule	2026	-
POST	/organizations/{org}/investigations/{investigation_id}/orchestration/commands/	write	-	organization	saved-view	create	org:write	rule	2026	-
POST	/organizations/{org}/investigations/{investigation_id}/blocks/	write	-	organization	saved-view	create	org:write	rule	2026	-
PUT	/organizations/{org}/investigations/{investigation_id}/blocks/order/	write	-	organization	saved-view	update	org:write	rule	2026	-
DELETE	/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/	write	-	organization	saved-view	delete	org:admin	rule	2026	-
PUT	/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/	write	-	organization	saved-view	update	org:write	rule	2026	-
POST	/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/executions/	write	-	organization	saved-view	create	org:write	rule	2026	-
DELETE	/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/executions/{execution_id}/	write	-	organization	saved-view	delete	org:admin	rule	2026	-
GET	/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/executions/{execution_id}/	write-on-GET	-	organization	saved-view	read	org:read	rule	2026	stores the state of the run that it asks for
PATCH	/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/executions/{execution_id}/	write	-	organization	saved-view	update	org:write	rule	2026	-
PUT	/organizations/{org}/investigations/{investigation_id}/favorite/	write	-	organization	saved-view	update	org:write	rule	2026	-
POST	/organizations/{org}/investigations/{investigation_id}/duplicate/	write	-	organization	saved-view	create	org:write	rule	2026	-
GET	/organizations/{org}/investigations/{investigation_id}/title-generation/	write-on-GET	-	organization	saved-view	list	org:read	rule	2026	stores the state of the run that it asks for
PUT	/organizations/{org}/investigations/{investigation_id}/parameters/	write	-	organization	saved-view	update	org:write	rule	2026	-
POST	/organizations/{org}/trace-explorer-ai/setup/	read-by-POST	cost	organization	trace	query	event:write	rule	2026	language model run, changes nothing else
POST	/organizations/{org}/trace-explorer-ai/query/	read-by-POST	cost	organization	trace	query	event:write	rule	2026	language model run, changes nothing else
POST	/organizations/{org}/issue-view-title/generate/	read-by-POST	cost	organization	organization	query	org:write	rule	2026	language model run, changes nothing else
POST	/organizations/{org}/search-agent/translate/	read-by-POST	cost	organization	organization	query	org:write	rule	2026	language model run, changes nothing else
POST	/organizations/{org}/search-agent/start/	read-by-POST	cost	organization	organization	query	org:write	rule	2026	language model run, changes nothing else
GET	/organizations/{org}/search-agent/state/{run_id}/	read	-	organization	organization	read	org:read	rule	2026	-
GET	/organizations/{org}/seer/explorer-chat/	read	-	organization	seer	list	org:read	rule	2026	-
POST	/organizations/{org}/seer/explorer-chat/	write	cost	organization	seer	create	org:read	rule	2026	starts or steers an agent run
GET	/organizations/{org}/seer/explorer-chat/{run_id}/	read	-	organization	seer	read	org:read	rule	2026	-
POST	/organizations/{org}/seer/explorer-chat/{run_id}/	write	cost	organization	seer	create	org:read	rule	2026	starts or steers an agent run
GET	/organizations/{org}/seer/autofix-overview/	read	outside	organization	seer	list	org:read	rule	2026	asks the source code provider with the stored credentials
GET	/organizations/{org}/seer/autofix-scm-info/	read	outside	organization	seer	list	org:read	rule	2026	asks the source code provider with the stored credentials
GET	/organizations/{org}/seer/runs/	read	cost	organization	seer	list	org:read	rule	2026	?expand=questions and ?question= ask a language model for each run
POST	/organizations/{org}/seer/runs/	write	cost	organization	seer	create	org:write	rule	2026	starts or steers an agent run
GET	/organizations/{org}/seer/workflows/	read	-	organization	seer	list	alerts:read org:read	rule	2026	-
POST	/organizations/{org}/seer/explorer-update/{run_id}/	write	cost	organization	seer	create	org:read	rule	2026	starts or steers an agent run
GET	/organizations/{org}/seer/supergroups/by-group/	read	-	organization	seer	list	org:read	rule	2026	-
GET	/organizations/{org}/seer/supergroups/{supergroup_id}/	read	-	organization	seer	read	org:read	rule	2026	-
GET	/organizations/{org}/seer/setup-check/	read	-	organization	seer	list	org:read	rule	2026	-
GET	/organizations/{org}/seer/onboarding-check/	read	-	organization	seer	list	org:read	rule	2026	-
GET	/organizations/{org}/autofix/automation-settings/	read	-	organization	seer	list	org:read	rule	2026	-
POST	/organizations/{org}/autofix/automation-settings/	write	-	organization	seer	create	org:write	rule	2026	-
GET	/organizations/{org}/seer/projects/	read	-	organization	seer	list	org:read	rule	2026	-
PUT	/organizations/{org}/seer/projects/	write	-	organization	seer	update	org:write	rule	2026	-
POST	/organizations/{org}/seer-rpc/{method_name}/	write	server	organization	organization	create	org:write	rule	2026	method in the path, some write
GET	/organizations/{org}/sentry-app-components/	read	outside	organization	integration	list	org:admin org:read org:write	23.7.1	23.7.1+2026	prepares components of integrations, which asks their own servers
GET	/organizations/{org}/org-auth-tokens/	secret	credential	organization	credential	list	org:admin org:read org:write	23.7.1	23.7.1+2026	list of organization tokens, last characters only
POST	/organizations/{org}/org-auth-tokens/	write	mint	organization	credential	mint	org:admin org:read org:write	23.7.1	23.7.1+2026	organization keys and tokens
DELETE	/organizations/{org}/org-auth-tokens/{token_id}/	write	mint	organization	credential	delete	org:admin org:write	23.7.1	23.7.1+2026	organization keys and tokens
GET	/organizations/{org}/org-auth-tokens/{token_id}/	secret	credential	organization	credential	read	org:admin org:read org:write	23.7.1	23.7.1+2026	list of organization tokens, last characters only
PUT	/organizations/{org}/org-auth-tokens/{token_id}/	write	mint	organization	credential	update	org:admin org:read org:write	23.7.1	23.7.1+2026	organization keys and tokens
GET	/organizations/{org}/stats/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/stats_v2/	read	-	query-id	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/stats-summary/	read	-	query-id	organization	list	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/teams/	read	-	organization	team	list	org:admin org:read org:write	openapi	23.7.1+2026	-
POST	/organizations/{org}/teams/	write	-	organization	team	create	org:admin org:write team:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/tags/	read	-	query	tag	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/tags/{key:free}/values/	read	-	query-code	tag	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/onboarding-tasks/	read	-	organization	organization	list	org:read	rule	2026	-
POST	/organizations/{org}/onboarding-tasks/	write	-	organization	organization	create	org:read	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/onboarding/agent/runs/	write	-	organization	credential	create	org:write	rule	2026	-
DELETE	/organizations/{org}/onboarding/agent/runs/{run_id:h}/	write	-	organization	credential	delete	org:admin	rule	2026	-
GET	/organizations/{org}/onboarding/agent/runs/{run_id:h}/	secret	credential	organization	credential	read	org:read	rule	2026	a token of the event stream in a header of the answer
POST	/organizations/{org}/onboarding/agent/status/	write	-	organization	credential	create	org:write	rule	2026	-
GET	/organizations/{org}/environments/	read	-	query-code	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/broadcasts/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/broadcasts/	write	-	organization	organization	create	org:admin org:write	23.7.1	23.7.1+2026	-
PUT	/organizations/{org}/broadcasts/	write	-	organization	organization	update	org:admin org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/join-request/	write	-	organization	organization	create	-	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/relay_usage/	read	-	organization	organization	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/flags/logs/	read	-	organization	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/flags/logs/{flag_log_id:d}/	read	-	organization	organization	read	org:read	rule	2026	-
POST	/organizations/{org}/flags/hooks/provider/{provider}/	write	-	organization	hook	create	org:write	rule	2026	-
GET	/organizations/{org}/flags/signing-secrets/	secret	credential	organization	hook	list	org:read	rule	2026	signing secrets of flag providers
POST	/organizations/{org}/flags/signing-secrets/	write	-	organization	hook	create	org:write	rule	2026	-
DELETE	/organizations/{org}/flags/signing-secrets/{signing_secret_id:d}/	write	-	organization	hook	delete	org:admin	rule	2026	-
GET	/organizations/{org}/replays/	read	-	query	replay	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/replay-selectors/	read	-	query	replay	list	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/replay-count/	read	-	query	replay	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/replays/{replay_id}/	read	-	organization	replay	read	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/replays-events-meta/	read	-	query-code	replay	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
POST	/organizations/{org}/request-project-creation/	write	-	organization	organization	create	org:read	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/scim/v2/Users	secret	personal	organization	member	list	member:admin member:read member:write	openapi	23.7.1+2026	accounts and addresses; wants the token of a SCIM integration
POST	/organizations/{org}/scim/v2/Users	write	mint	organization	member	mint	member:admin member:write	openapi	23.7.1+2026	makes and removes members and teams
DELETE	/organizations/{org}/scim/v2/Users/{member_id:d}	write	mint	organization	member	delete	member:admin	openapi	23.7.1+2026	makes and removes members and teams
GET	/organizations/{org}/scim/v2/Users/{member_id:d}	secret	personal	organization	member	read	member:admin member:read member:write	openapi	23.7.1+2026	accounts and addresses; wants the token of a SCIM integration
PATCH	/organizations/{org}/scim/v2/Users/{member_id:d}	write	mint	organization	member	update	member:admin member:write	openapi	23.7.1+2026	makes and removes members and teams
PUT	/organizations/{org}/scim/v2/Users/{member_id:d}	write	mint	organization	member	update	member:admin member:write	23.7.1	23.7.1+2026	makes and removes members and teams
GET	/organizations/{org}/scim/v2/Groups	secret	personal	organization	member	list	team:admin team:read team:write	openapi	23.7.1+2026	accounts and addresses; wants the token of a SCIM integration
POST	/organizations/{org}/scim/v2/Groups	write	mint	organization	member	mint	team:admin team:write	openapi	23.7.1+2026	makes and removes members and teams
DELETE	/organizations/{org}/scim/v2/Groups/{team:d}	write	mint	organization	member	delete	team:admin	openapi	23.7.1+2026	makes and removes members and teams
GET	/organizations/{org}/scim/v2/Groups/{team:d}	secret	personal	organization	member	read	team:admin team:read team:write	openapi	23.7.1+2026	accounts and addresses; wants the token of a SCIM integration
PATCH	/organizations/{org}/scim/v2/Groups/{team:d}	write	mint	organization	member	update	team:admin team:write	openapi	23.7.1+2026	makes and removes members and teams
PUT	/organizations/{org}/scim/v2/Groups/{team:d}	write	mint	organization	member	update	-	23.7.1	23.7.1+2026	makes and removes members and teams
GET	/organizations/{org}/scim/v2/Schemas	read	-	organization	member	list	member:admin member:read member:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/metrics/data/	read	-	query~	organization	list	org:read	rule	23.7.1+2026	-
GET	/organizations/{org}/profiling/flamegraph/	read	-	query	trace	list	org:admin org:read org:write	openapi	23.7.1+2026	-
GET	/organizations/{org}/profiling/function-trends/	read	-	query-code	trace	list	org:admin org:read org:write	23.7.1	23.7.1+2026	-
GET	/organizations/{org}/profiling/chunks/	read	-	query	trace	list	org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/profiling/chunk-attachments/	read	-	query~	trace	list	event:read org:read	rule	2026	list of attachments of profile chunks (i)
GET	/organizations/{org}/profiling/has-chunks/	read	-	query~	trace	list	event:read org:read	rule	2026	-
GET	/organizations/{org}/builtin-symbol-sources/	read	-	organization	organization	list	-	23.7.1	2026	-
GET	/organizations/{org}/unsubscribe/project/{id:d}/	read	user	organization	organization	read	org:read	rule	2026	signed link
POST	/organizations/{org}/unsubscribe/project/{id:d}/	write	-	organization	organization	create	org:write	rule	2026	-
GET	/organizations/{org}/unsubscribe/issue/{id:d}/	read	user	organization	organization	read	org:read	rule	2026	signed link
POST	/organizations/{org}/unsubscribe/issue/{id:d}/	write	-	organization	organization	create	org:write	rule	2026	-
GET	/organizations/{org}/prompts-activity/	read	-	query~	organization	list	-	23.7.1	2026	-
PUT	/organizations/{org}/prompts-activity/	write	-	organization	organization	update	-	23.7.1	2026	-
POST	/organizations/{org}/fork/	write	-	organization	organization	create	org:write	rule	2026	-
GET	/organizations/{org}/uptime/	secret	credential	query~	uptime	list	alerts:read org:read	rule	2026	headers and body that uptime monitors send, which may log in somewhere
POST	/organizations/{org}/uptime-preview-check/	write	outside	organization	uptime	create	alerts:write	rule	2026	sends a request to an address of the caller's choice
POST	/organizations/{org}/uptime-assertion-suggestions/	write	outside	organization	uptime	create	alerts:write	rule	2026	sends a request to an address of the caller's choice
GET	/organizations/{org}/uptime-count/	read	-	query~	uptime	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/uptime-stats/	read	-	query~	uptime	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/uptime-summary/	read	-	query~	uptime	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/insights/tree/	read	-	query~	organization	list	org:read	rule	2026	-
DELETE	/organizations/{org}/detectors/{detector_id:d}/	write	-	organization	alert	delete	alerts:write org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/detectors/{detector_id:d}/	secret	credential	query~	alert	read	alerts:read org:admin org:read org:write	openapi	2026	headers and body that uptime monitors send, which may log in somewhere
PUT	/organizations/{org}/detectors/{detector_id:d}/	write	-	organization	alert	update	alerts:write org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/detectors/{detector_id}/anomaly-data/	read	-	query~	alert	list	alerts:read org:read	rule	2026	-
DELETE	/organizations/{org}/workflows/	write	-	organization	alert	delete	alerts:write org:admin org:write	openapi	2026	-
GET	/organizations/{org}/workflows/	read	-	organization	alert	list	alerts:read org:admin org:read org:write	openapi	2026	-
POST	/organizations/{org}/workflows/	write	-	organization	alert	create	alerts:write org:admin org:write	openapi	2026	-
PUT	/organizations/{org}/workflows/	write	-	organization	alert	update	alerts:write org:admin org:write	openapi	2026	-
DELETE	/organizations/{org}/detectors/	write	-	query	alert	delete	alerts:write org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/detectors/	secret	credential	query	alert	list	alerts:read org:admin org:read org:write	openapi	2026	headers and body that uptime monitors send, which may log in somewhere
PUT	/organizations/{org}/detectors/	write	-	query	alert	update	alerts:write org:admin org:read org:write	openapi	2026	-
GET	/organizations/{org}/detectors/count/	read	-	query~	alert	list	alerts:read org:read	rule	2026	-
POST	/organizations/{org}/projects/{project}/detectors/	write	-	path	alert	create	alerts:write project:admin project:write	openapi	2026	-
DELETE	/organizations/{org}/workflows/{workflow_id:d}/	write	-	organization	alert	delete	alerts:write org:admin org:write	openapi	2026	-
GET	/organizations/{org}/workflows/{workflow_id:d}/	read	-	query~	alert	read	alerts:read org:admin org:read org:write	openapi	2026	-
PUT	/organizations/{org}/workflows/{workflow_id:d}/	write	-	organization	alert	update	alerts:write org:admin org:write	openapi	2026	-
GET	/organizations/{org}/workflows/{workflow_id:d}/group-history/	read	-	query~	alert	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/workflows/{workflow_id}/stats/	read	-	query~	alert	list	alerts:read org:read	rule	2026	-
GET	/organizations/{org}/data-conditions/	read	-	organization	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/detector-types/	read	-	organization	alert	list	org:read	rule	2026	-
GET	/organizations/{org}/available-actions/	read	-	organization	organization	list	org:read	rule	2026	-
POST	/organizations/{org}/test-fire-actions/	write	outside	organization	organization	create	org:write	rule	2026	sends notifications
GET	/organizations/{org}/open-periods/	read	-	query~	alert	list	org:read	rule	2026	-
GET	/organizations/{org}/alert-rule-workflow/	read	-	organization	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/alert-rule-detector/	read	-	organization	organization	list	org:read	rule	2026	-
GET	/organizations/{org}/incident-groupopenperiod/	read	-	organization	organization	list	org:read	rule	2026	-
POST	/organizations/{org}/conduit-demo/	write	mint	organization	organization	mint	org:write	rule	2026	a stream token
DELETE	/organizations/{org}/objectstore/{path:*}	write	-	organization	organization	delete	org:admin	rule	2026	-
GET	/organizations/{org}/objectstore/{path:*}	secret	raw	organization	organization	download	org:read	rule	2026	any object of the store; the path spans slashes
POST	/organizations/{org}/objectstore/{path:*}	write	-	organization	organization	create	org:write	rule	2026	any object of the store; the path spans slashes
PUT	/organizations/{org}/objectstore/{path:*}	write	-	organization	organization	update	org:write	rule	2026	-
GET	/organizations/{org}/builds/	read	-	query~	build	list	project:read	rule	2026	-
GET	/organizations/{org}/builds-export/	read	-	query~	build	list	project:read	rule	2026	-
GET	/organizations/{org}/files/preprodartifacts/{head_artifact_id}/size-analysis/	read	-	organization	build	list	project:read	rule	2026	analysis of a build; archive downloads pictures
POST	/organizations/{org}/preprod-artifact/rerun-analysis/{head_artifact_id}/	write	-	organization	build	create	project:releases	rule	2026	-
POST	/organizations/{org}/preprod-artifact/rerun-status-checks/{head_artifact_id}/	write	-	organization	build	create	project:releases	rule	2026	-
GET	/organizations/{org}/preprod/quota/	read	-	query~	build	list	project:read	rule	2026	-
GET	/organizations/{org}/preprod/retention/	read	-	query~	build	list	project:read	rule	2026	-
POST	/organizations/{org}/preprodartifacts/{artifact_id}/approve/	write	-	organization	build	create	project:releases	rule	2026	-
GET	/organizations/{org}/preprodartifacts/{artifact_id}/install-details/	secret	credential	query~	build	list	org:admin org:read org:write	openapi	2026	signed address from which a build is installed
GET	/organizations/{org}/preprodartifacts/{artifact_id}/size-analysis/	read	-	query~	build	list	org:admin org:read org:write	openapi	2026	analysis of a build; archive downloads pictures
GET	/organizations/{org}/preprodartifacts/{head_artifact_id}/build-details/	read	-	query~	build	list	project:read	rule	2026	-
DELETE	/organizations/{org}/preprodartifacts/{head_artifact_id}/delete/	write	-	organization	build	delete	project:releases	rule	2026	-
PUT	/organizations/{org}/preprodartifacts/{head_artifact_id}/distribution/	write	-	organization	build	update	project:releases	rule	2026	-
GET	/organizations/{org}/preprodartifacts/{head_artifact_id}/private-install-details/	secret	credential	query~	build	list	project:read	rule	2026	signed address from which a build is installed
GET	/organizations/{org}/preprodartifacts/{head_artifact_id}/size-analysis/comparisons/	read	-	query~	build	list	project:read	rule	2026	-
GET	/organizations/{org}/preprodartifacts/size-analysis/compare/{head_artifact_id}/{base_artifact_id}/	read	-	query~	build	read	project:read	rule	2026	-
POST	/organizations/{org}/preprodartifacts/size-analysis/compare/{head_artifact_id}/{base_artifact_id}/	write	-	organization	build	create	project:releases	rule	2026	-
DELETE	/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/	write	-	organization	build	delete	project:admin project:releases	openapi	2026	-
GET	/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/	read	-	query~	build	read	org:ci project:admin project:read project:releases project:write	openapi	2026	-
GET	/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/archive/	secret	raw	query~	build	list	project:read	rule	2026	downloads all pictures of a build
POST	/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/archive/	write	-	organization	build	create	project:releases	rule	2026	-
GET	/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/images/{image_identifier:free}/	read	-	query~	build	read	org:ci project:admin project:read project:releases project:write	openapi	2026	-
POST	/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/recompare/	write	-	organization	build	create	project:releases	rule	2026	-
GET	/organizations/{org}/preprodartifacts/snapshots/latest-base/	read	-	query	build	list	org:ci project:admin project:read project:releases project:write	openapi	2026	-
GET	/projects/	read	-	query-code	project	list	project:admin project:read project:write	23.7.1	23.7.1+2026	no organization in the path; empty under the system token
DELETE	/projects/{org}/{project}/	write	-	path	project	delete	project:admin	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/	read	-	path	project	read	project:admin project:read project:write	openapi	23.7.1+2026	has the project's securityToken (fetching of source code) beside its settings
PUT	/projects/{org}/{project}/	write	-	path	project	update	project:admin project:read project:write	openapi	23.7.1+2026	-
DELETE	/projects/{org}/{project}/alert-rules/{alert_rule_id}/	write	-	path	alert	delete	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/alert-rules/{alert_rule_id}/	read	-	path	alert	read	alerts:read alerts:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
PUT	/projects/{org}/{project}/alert-rules/{alert_rule_id}/	write	-	path	alert	update	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/alert-rules/	read	-	path	alert	list	alerts:read alerts:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/alert-rules/	write	-	path	alert	create	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/alert-rule-task/{task_uuid}/	read	-	path	project	read	project:admin project:read project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/create-sample/	write	-	path	project	create	event:admin event:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/environments/	read	-	path	project	list	project:admin project:read project:write	openapi	23.7.1+2026	-
PUT	/projects/{org}/{project}/environments/	write	-	path	project	update	project:admin project:write	openapi	2026	-
GET	/projects/{org}/{project}/environments/{environment:free}/	read	-	path	project	read	project:admin project:read project:write	openapi	23.7.1+2026	-
PUT	/projects/{org}/{project}/environments/{environment:free}/	write	-	path	project	update	project:admin project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/trace-items/{item_id:h}/	read	-	path	trace	read	project:read	rule	2026	-
GET	/projects/{org}/{project}/events/	read	-	path	event	list	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id:e}/	read	-	path	event	read	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/grouping-info/	read	-	path	event	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/apple-crash-report	secret	raw	path	event	download	project:admin project:read project:write	23.7.1	23.7.1+2026	the whole event as it was received
GET	/projects/{org}/{project}/events/{event_id}/attachments/	read	-	path	attachment	list	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/reprocessable/	read	-	path	event	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/events/{event_id}/attachments/{attachment_id}/	write	-	path	attachment	delete	project:admin	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/attachments/{attachment_id}/	secret	raw	path	attachment	download	project:admin project:read project:write	openapi	23.7.1+2026	with ?download the attachment itself: dumps, screenshots, logs
GET	/projects/{org}/{project}/events/{event_id}/committers/	read	-	path	event	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/json/	secret	raw	path	event	download	project:admin project:read project:write	23.7.1	23.7.1+2026	the whole event as it was received
GET	/projects/{org}/{project}/events/{event_id}/owners/	read	-	path	event	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/source-map-debug/	read	-	path	event	list	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/events/{event_id}/actionable-items/	read	-	path	event	list	event:read	rule	2026	-
DELETE	/projects/{org}/{project}/files/dsyms/	write	-	path	debug-file	delete	project:admin project:releases	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/files/dsyms/	secret	raw	path	debug-file	download	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	with ?id= a debug file; without it a list
POST	/projects/{org}/{project}/files/dsyms/	write	-	path	debug-file	create	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/files/source-maps/	write	-	path	artifact	delete	project:admin project:releases	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/files/source-maps/	read	-	path	artifact	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/files/artifact-bundles/	write	-	path	artifact	delete	project:admin project:releases	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/files/artifact-bundles/	read	-	path	artifact	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/files/proguard-artifact-releases	read	-	path	artifact	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/files/proguard-artifact-releases	write	-	path	artifact	create	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/files/difs/assemble/	write	-	path	debug-file	upload	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/files/dsyms/unknown/	read	-	path	debug-file	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/files/dsyms/associate/	write	-	path	debug-file	create	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/filters/	read	-	path	project	list	project:admin project:read project:write	openapi	23.7.1+2026	-
PUT	/projects/{org}/{project}/filters/{filter_id}/	write	-	path	project	update	project:admin project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/custom-inbound-filters/	read	-	path	project	list	project:read	rule	2026	-
POST	/projects/{org}/{project}/custom-inbound-filters/	write	-	path	project	create	project:write	rule	2026	-
DELETE	/projects/{org}/{project}/custom-inbound-filters/{filter_id}/	write	-	path	project	delete	project:admin	rule	2026	-
GET	/projects/{org}/{project}/custom-inbound-filters/{filter_id}/	read	-	path	project	read	project:read	rule	2026	-
PUT	/projects/{org}/{project}/custom-inbound-filters/{filter_id}/	write	-	path	project	update	project:write	rule	2026	-
GET	/projects/{org}/{project}/hooks/	secret	credential	path	hook	list	project:read	openapi	23.7.1+2026	secret of a service hook
POST	/projects/{org}/{project}/hooks/	write	-	path	hook	create	project:write	openapi	23.7.1+2026	-
DELETE	/projects/{org}/{project}/hooks/{hook_id}/	write	-	path	hook	delete	project:admin	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/hooks/{hook_id}/	secret	credential	path	hook	read	project:read	openapi	23.7.1+2026	secret of a service hook
PUT	/projects/{org}/{project}/hooks/{hook_id}/	write	-	path	hook	update	project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/hooks/{hook_id}/stats/	read	-	path	hook	list	project:admin project:read project:write	23.7.1	23.7.1+2026	counts of a service hook
DELETE	/projects/{org}/{project}/issues/	write	bulk	path	issue	delete	event:admin	openapi	23.7.1+2026	without ?id it deletes every issue of the project
GET	/projects/{org}/{project}/issues/	read	-	path	issue	list	event:read	openapi	23.7.1+2026	-
PUT	/projects/{org}/{project}/issues/	write	bulk	path	issue	update	event:write	openapi	23.7.1+2026	without ?id it changes every issue of the project
DELETE	/projects/{org}/{project}/groups/	write	bulk	path	issue	delete	event:admin	23.7.1	2026	without ?id it deletes every issue of the project
GET	/projects/{org}/{project}/groups/	read	-	path	issue	list	event:admin event:read event:write	23.7.1	2026	-
PUT	/projects/{org}/{project}/groups/	write	bulk	path	issue	update	event:admin event:write	23.7.1	2026	without ?id it changes every issue of the project
GET	/projects/{org}/{project}/issues/stats/	read	-	path	issue	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/groups/stats/	read	-	path	issue	list	project:admin project:read project:write	23.7.1	2026	-
GET	/projects/{org}/{project}/keys/	secret	credential	path	client-key	list	project:admin project:read project:write	openapi	23.7.1+2026	client keys (DSN) with their secret half
POST	/projects/{org}/{project}/keys/	write	mint	path	client-key	mint	project:admin project:write	openapi	23.7.1+2026	a client key
DELETE	/projects/{org}/{project}/keys/{key_id}/	write	-	path	client-key	delete	project:admin	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/keys/{key_id}/	secret	credential	path	client-key	read	project:admin project:read project:write	openapi	23.7.1+2026	client keys (DSN) with their secret half
PUT	/projects/{org}/{project}/keys/{key_id}/	write	-	path	client-key	update	project:admin project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/keys/{key_id}/stats/	read	-	path	client-key	list	project:admin project:read project:write	23.7.1	23.7.1+2026	counts of a client key
GET	/projects/{org}/{project}/members/	read	personal	path	member	list	project:admin project:read project:write	openapi	23.7.1+2026	names and e-mail addresses
GET	/projects/{org}/{project}/overview/	read	-	path	project	list	project:read	rule	2026	-
GET	/projects/{org}/{project}/releases/	read	-	path	release	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	-
POST	/projects/{org}/{project}/releases/	write	-	path	release	create	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/release-thresholds/	read	-	path	project	list	project:read	rule	2026	-
POST	/projects/{org}/{project}/release-thresholds/	write	-	path	project	create	project:write	rule	2026	-
DELETE	/projects/{org}/{project}/release-thresholds/{release_threshold}/	write	-	path	project	delete	project:admin	rule	2026	-
GET	/projects/{org}/{project}/release-thresholds/{release_threshold}/	read	-	path	project	read	project:read	rule	2026	-
PUT	/projects/{org}/{project}/release-thresholds/{release_threshold}/	write	-	path	project	update	project:write	rule	2026	-
GET	/projects/{org}/{project}/commits/	read	-	path	project	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	list of commits
GET	/projects/{org}/{project}/releases/token/	write-on-GET	credential	path	release	list	project:admin project:write	23.7.1	23.7.1+2026	makes the release token if there is none, returns it and the signed webhook address
POST	/projects/{org}/{project}/releases/token/	write	-	path	release	create	project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/releases/completion/	read	-	path	release	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/releases/{version:free}/	write	-	path	release	delete	project:admin project:releases	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/releases/{version:free}/	read	-	path	release	read	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
PUT	/projects/{org}/{project}/releases/{version:free}/	write	-	path	release	update	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/releases/{version:free}/commits/	read	-	path	release	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	list of commits
GET	/projects/{org}/{project}/releases/{version:free}/repositories/	read	-	path	release	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/releases/{version:free}/resolved/	read	-	path	release	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/releases/{version:free}/stats/	write-on-GET	-	path	release	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	adds a release that is missing
GET	/projects/{org}/{project}/artifact-bundles/{bundle_id}/files/	read	-	path	artifact	list	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/artifact-bundles/{bundle_id}/files/{file_id}/	secret	raw	path	artifact	download	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	with ?download a source file of a release or bundle
GET	/projects/{org}/{project}/releases/{version:free}/files/	read	-	path	artifact	list	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	-
POST	/projects/{org}/{project}/releases/{version:free}/files/	write	-	path	artifact	create	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
DELETE	/projects/{org}/{project}/releases/{version:free}/files/{file_id}/	write	-	path	artifact	delete	project:admin project:releases	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/releases/{version:free}/files/{file_id}/	secret	raw	path	artifact	download	org:ci project:admin project:read project:releases project:write	openapi	23.7.1+2026	with ?download a source file of a release or bundle
PUT	/projects/{org}/{project}/releases/{version:free}/files/{file_id}/	write	-	path	artifact	update	org:ci project:admin project:releases project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/artifact-lookup/	secret	raw	path	artifact	download	org:ci project:admin project:read project:releases project:write	23.7.1	23.7.1+2026	with ?download= an artifact; its addresses are internal ones for the system token
GET	/projects/{org}/{project}/rules/	read	-	path	alert	list	alerts:read alerts:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/rules/	write	-	path	alert	create	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/replays/{replay_id}/	write	-	path	replay	delete	project:admin project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/replays/{replay_id}/	read	-	path	replay	read	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/replays/{replay_id}/viewed-by/	read	personal	path	replay	list	event:admin event:read event:write	openapi	2026	who looked at a replay
POST	/projects/{org}/{project}/replays/{replay_id}/viewed-by/	write	-	path	replay	create	project:write	rule	2026	-
GET	/projects/{org}/{project}/replays/{replay_id}/clicks/	read	-	path	replay	list	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/replays/{replay_id}/recording-segments/	secret	raw	path	replay	download	project:admin project:read project:write	openapi	23.7.1+2026	recording of a person's screen
GET	/projects/{org}/{project}/replays/{replay_id}/summarize/	read	-	path	replay	list	project:read	rule	2026	state of a summary
POST	/projects/{org}/{project}/replays/{replay_id}/summarize/	read-by-POST	cost	path	replay	query	project:write	rule	2026	language model run; keeps the summary
GET	/projects/{org}/{project}/replays/{replay_id}/recording-segments/{segment_id:d}/	secret	raw	path	replay	download	project:admin project:read project:write	openapi	23.7.1+2026	recording of a person's screen
GET	/projects/{org}/{project}/replays/{replay_id}/videos/{segment_id:d}/	secret	raw	path	replay	download	project:read	rule	2026	recording of a person's screen
GET	/projects/{org}/{project}/replays/jobs/delete/	read	-	path	replay	list	project:admin project:write	openapi	2026	-
POST	/projects/{org}/{project}/replays/jobs/delete/	write	-	path	replay	create	project:admin project:write	openapi	2026	-
GET	/projects/{org}/{project}/replays/jobs/delete/{job_id:d}/	read	-	path	replay	read	project:admin project:write	openapi	2026	-
GET	/projects/{org}/{project}/rules/configuration/	read	outside	path	alert	list	project:admin project:read project:write	23.7.1	23.7.1+2026	prepares components of integrations, which asks their own servers
DELETE	/projects/{org}/{project}/rules/{rule_id:d}/	write	-	path	alert	delete	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/rules/{rule_id:d}/	read	outside	path	alert	read	alerts:read alerts:write project:admin project:read project:write	23.7.1	23.7.1+2026	prepares components of integrations, which asks their own servers
PUT	/projects/{org}/{project}/rules/{rule_id:d}/	write	-	path	alert	update	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
PUT	/projects/{org}/{project}/rules/{rule_id}/enable/	write	-	path	alert	update	alerts:write	rule	2026	-
DELETE	/projects/{org}/{project}/rules/{rule_id}/snooze/	write	-	path	alert	delete	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/rules/{rule_id}/snooze/	write	-	path	alert	create	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/alert-rules/{rule_id}/snooze/	write	-	path	alert	delete	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/alert-rules/{rule_id}/snooze/	write	-	path	alert	create	alerts:write project:admin project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/rules/preview/	read-by-POST	-	path	alert	query	alerts:write project:admin project:write	23.7.1	23.7.1+2026	which issues a rule would have met
POST	/projects/{org}/{project}/rule-actions/	write	outside	path	project	create	alerts:write project:admin project:write	23.7.1	23.7.1+2026	sends notifications
GET	/projects/{org}/{project}/rules/{rule_id}/group-history/	read	-	path	alert	list	alerts:read alerts:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/rules/{rule_id}/stats/	read	-	path	alert	list	alerts:read alerts:write project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/rule-task/{task_uuid}/	read	-	path	project	read	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/stats/	read	-	path	project	list	project:admin project:read project:write	openapi	23.7.1+2026	-
DELETE	/projects/{org}/{project}/symbol-sources/	write	-	path	project	delete	project:admin	openapi	2026	-
GET	/projects/{org}/{project}/symbol-sources/	secret	credential	path	project	list	project:admin project:read project:write	openapi	2026	symbol servers; passwords are replaced by a marker
POST	/projects/{org}/{project}/symbol-sources/	write	-	path	project	create	project:admin project:write	openapi	2026	-
PUT	/projects/{org}/{project}/symbol-sources/	write	-	path	project	update	project:admin project:write	openapi	2026	-
GET	/projects/{org}/{project}/tags/	read	-	path	tag	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/tags/{key:free}/	write	-	path	tag	delete	project:admin	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/tags/{key:free}/	read	-	path	tag	read	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/tags/{key:free}/values/	read	-	path	tag	list	project:read	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/teams/	read	-	path	team	list	project:admin project:read project:write	openapi	23.7.1+2026	-
DELETE	/projects/{org}/{project}/teams/{team}/	write	-	path	team	delete	project:admin project:write	openapi	23.7.1+2026	-
POST	/projects/{org}/{project}/teams/{team}/	write	-	path	team	create	project:admin project:write	openapi	23.7.1+2026	-
POST	/projects/{org}/{project}/transfer/	write	-	path	project	create	org:admin	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/users/	read	personal	path	user	list	project:admin project:read project:write	openapi	23.7.1+2026	names and e-mail addresses
GET	/projects/{org}/{project}/user-feedback/	read	-	path	project	list	project:read	openapi	2026	-
POST	/projects/{org}/{project}/user-feedback/	write	-	path	project	create	project:write	openapi	2026	-
GET	/projects/{org}/{project}/user-reports/	read	-	path	project	list	project:admin project:read project:write	23.7.1	2026	-
POST	/projects/{org}/{project}/user-reports/	write	-	path	project	create	project:admin project:write	23.7.1	2026	-
POST	/projects/{org}/{project}/reprocessing/	write	-	path	project	create	org:ci project:admin project:releases project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/ownership/	read	-	path	project	list	project:admin project:read project:write	openapi	23.7.1+2026	-
PUT	/projects/{org}/{project}/ownership/	write	-	path	project	update	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/codeowners/	read	-	path	integration	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/codeowners/	write	-	path	integration	create	project:admin project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/codeowners/{codeowners_id}/	write	-	path	integration	delete	project:admin	23.7.1	23.7.1+2026	-
PUT	/projects/{org}/{project}/codeowners/{codeowners_id}/	write	-	path	integration	update	project:admin project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/transaction-threshold/configure/	write	-	path	project	delete	project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/transaction-threshold/configure/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
POST	/projects/{org}/{project}/transaction-threshold/configure/	write	-	path	project	create	project:admin project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/performance-issues/configure/	write	-	path	project	delete	project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/performance-issues/configure/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
PUT	/projects/{org}/{project}/performance-issues/configure/	write	-	path	project	update	project:admin project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/performance/configure/	read	-	path	project	list	project:read	rule	2026	-
POST	/projects/{org}/{project}/performance/configure/	write	-	path	project	create	project:write	rule	2026	-
GET	/projects/{org}/{project}/web-vitals-detector/	write-on-GET	-	path	project	list	project:read	rule	2026	starts a detection, which makes issues
DELETE	/projects/{org}/{project}/legacy-webhooks/	write	-	path	hook	delete	project:admin	rule	2026	-
GET	/projects/{org}/{project}/legacy-webhooks/	secret	credential	path	hook	list	project:read	rule	2026	webhook addresses, which often hold a secret
POST	/projects/{org}/{project}/legacy-webhooks/	write	-	path	hook	create	project:write	rule	2026	-
GET	/projects/{org}/{project}/cluster-transaction-names/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/tombstones/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1+2026	-
DELETE	/projects/{org}/{project}/tombstones/{tombstone_id:d}/	write	-	path	project	delete	project:admin	23.7.1	23.7.1+2026	-
GET	/projects/{org}/{project}/stacktrace-link/	read	outside	path	project	list	project:admin project:read project:write	23.7.1	23.7.1+2026	asks the source code provider with the stored credentials
GET	/projects/{org}/{project}/stacktrace-source-context/	read	outside	path	project	list	project:read	rule	2026	asks the source code provider with the stored credentials
POST	/projects/{org}/{project}/repo/	write	-	path	project	create	project:admin project:write	openapi	2026	-
POST	/projects/{org}/{project}/repo-path-parsing/	read-by-POST	outside	path	project	query	org:read project:admin project:write	23.7.1	23.7.1+2026	asks the source code provider
GET	/projects/{org}/{project}/profiling/profiles/{profile_id:e}/	read	-	path	trace	read	project:admin project:read project:write	openapi	23.7.1+2026	-
GET	/projects/{org}/{project}/profiling/raw_profiles/{profile_id:e}/	secret	raw	path	trace	download	project:admin project:read project:write	23.7.1	23.7.1+2026	profile as it was received
GET	/projects/{org}/{project}/profiling/raw_chunks/{profiler_id:e}/{chunk_id:e}/	secret	raw	path	trace	download	project:read	rule	2026	profile as it was received
GET	/projects/{org}/{project}/profiling/chunks/{profiler_id:e}/{chunk_id:e}/attachments/{attachment_id:d}/	secret	raw	path	attachment	download	project:read	rule	2026	with ?download the attachment itself: dumps, screenshots, logs
GET	/projects/{org}/{project}/statistical-detector/	write-on-GET	-	path	project	list	project:read	rule	2026	runs a detection, which makes issues
DELETE	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/	write	-	path	monitor	delete	alerts:write project:admin project:write	openapi	2026	-
GET	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/	read	-	path	monitor	read	alerts:read alerts:write project:admin project:read project:write	openapi	2026	-
PUT	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/	write	-	path	monitor	update	alerts:write project:admin project:write	openapi	2026	-
GET	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/checkins/	read	-	path	monitor	list	alerts:read alerts:write project:admin project:read project:write	openapi	2026	-
DELETE	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/environments/{environment:free}/	write	-	path	monitor	delete	alerts:write	rule	2026	-
PUT	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/environments/{environment:free}/	write	-	path	monitor	update	alerts:write	rule	2026	-
DELETE	/projects/{org}/{project}/processing-errors/{uuid}/	write	-	path	project	delete	project:admin	rule	2026	-
DELETE	/projects/{org}/{project}/processing-errors/	write	-	path	project	delete	project:admin	rule	2026	-
DELETE	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/processing-errors/	write	-	path	monitor	delete	alerts:write	rule	2026	-
GET	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/processing-errors/	read	-	path	monitor	list	alerts:read	rule	2026	-
GET	/projects/{org}/{project}/monitors/{monitor_id_or_slug:free}/stats/	read	-	path	monitor	list	alerts:read	rule	2026	-
POST	/projects/{org}/{project}/uptime/	write	-	path	uptime	create	alerts:write	rule	2026	-
DELETE	/projects/{org}/{project}/uptime/{uptime_detector_id}/	write	-	path	uptime	delete	alerts:write	rule	2026	-
GET	/projects/{org}/{project}/uptime/{uptime_detector_id}/	secret	credential	path	uptime	read	alerts:read	rule	2026	headers and body that uptime monitors send, which may log in somewhere
PUT	/projects/{org}/{project}/uptime/{uptime_detector_id}/	write	-	path	uptime	update	alerts:write	rule	2026	-
GET	/projects/{org}/{project}/uptime/{uptime_detector_id}/checks/	read	-	path	uptime	list	alerts:read	rule	2026	-
DELETE	/projects/{org}/{project}/uptime/{uptime_detector_id}/response-captures/{capture_id}/	write	-	path	uptime	delete	alerts:write	rule	2026	-
GET	/projects/{org}/{project}/uptime/{uptime_detector_id}/response-captures/{capture_id}/	secret	raw	path	uptime	download	alerts:read	rule	2026	answers of monitored sites
DELETE	/projects/{org}/{project}/uptime/{uptime_detector_id}/response-captures/	write	-	path	uptime	delete	alerts:write	rule	2026	-
GET	/projects/{org}/{project}/tempest-credentials/	secret	credential	path	project	list	project:read	rule	2026	console development accounts, partly hidden
POST	/projects/{org}/{project}/tempest-credentials/	write	-	path	project	create	project:write	rule	2026	-
DELETE	/projects/{org}/{project}/tempest-credentials/{tempest_credentials_id:d}/	write	-	path	project	delete	project:admin	rule	2026	-
GET	/projects/{org}/{project}/seer/settings/	read	-	path	seer	list	project:read	rule	2026	-
PUT	/projects/{org}/{project}/seer/settings/	write	-	path	seer	update	project:write	rule	2026	-
GET	/projects/{org}/{project}/seer/preferences/	read	-	path	seer	list	project:read	rule	2026	-
POST	/projects/{org}/{project}/seer/preferences/	write	-	path	seer	create	project:write	rule	2026	-
GET	/projects/{org}/{project}/seer/repos/	read	-	path	seer	list	project:read	rule	2026	-
POST	/projects/{org}/{project}/seer/repos/	write	-	path	seer	create	project:write	rule	2026	-
PUT	/projects/{org}/{project}/seer/repos/	write	-	path	seer	update	project:write	rule	2026	-
DELETE	/projects/{org}/{project}/seer/repos/{repo_id:d}/	write	-	path	seer	delete	project:admin	rule	2026	-
GET	/projects/{org}/{project}/seer/repos/{repo_id:d}/	read	-	path	seer	read	project:read	rule	2026	-
PUT	/projects/{org}/{project}/seer/repos/{repo_id:d}/	write	-	path	seer	update	project:write	rule	2026	-
POST	/projects/{org}/{project}/seer/night-shift/	write	-	path	seer	create	project:write	rule	2026	-
POST	/projects/{org}/{project}/user-issue/	write	-	path	project	create	project:write	rule	2026	-
GET	/projects/{org}/{project}/files/images/{image_id}/	secret	raw	path	build	download	project:read	rule	2026	application builds and pictures
GET	/projects/{org}/{project}/files/installablepreprodartifact/{url_path:free}/	secret	raw	path	build	download	project:read	rule	2026	application builds and pictures
POST	/projects/{org}/{project}/files/preprodartifacts/assemble/	write	-	path	build	upload	project:releases	rule	2026	-
GET	/projects/{org}/{project}/preprod/size-analysis/status-check-rules/	read	-	path	build	list	project:admin project:read project:write	openapi	2026	-
POST	/projects/{org}/{project}/preprod/size-analysis/status-checks/skip/	write	-	path	build	create	org:ci project:admin project:releases project:write	openapi	2026	-
GET	/projects/{org}/{project}/preprod/snapshots/status-check-rules/	read	-	path	build	list	project:admin project:read project:write	openapi	2026	-
POST	/projects/{org}/{project}/preprod/snapshots/status-checks/skip/	write	-	path	build	create	org:ci project:admin project:releases project:write	openapi	2026	-
GET	/projects/{org}/{project}/preprodartifacts/build-distribution/latest/	secret	credential	path	build	list	project:admin project:distribution project:read project:write	openapi	2026	signed address from which a build is installed
GET	/projects/{org}/{project}/preprodartifacts/check-for-updates/	secret	credential	path	build	list	project:read	rule	2026	signed address from which a build is installed
GET	/projects/{org}/{project}/preprodartifacts/size-analysis/compare/{head_size_metric_id}/{base_size_metric_id}/download/	read	-	path	build	list	project:read	rule	2026	analysis of a build; archive downloads pictures
POST	/projects/{org}/{project}/preprodartifacts/snapshots/	write	-	path	build	create	org:ci project:admin project:releases project:write	openapi	2026	-
GET	/projects/{org}/{project}/preprodartifacts/snapshots/upload-options/	secret	credential	path	build	list	project:read	rule	2026	a token for the object store, good for an hour
DELETE	/teams/{org}/{team}/	write	-	organization	team	delete	team:admin	openapi	23.7.1+2026	-
GET	/teams/{org}/{team}/	read	-	organization	team	read	team:admin team:read team:write	openapi	23.7.1+2026	-
PUT	/teams/{org}/{team}/	write	-	organization	team	update	team:admin team:write	openapi	23.7.1+2026	-
GET	/teams/{org}/{team}/issues/old/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/release-count/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/time-to-resolution/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/unresolved-issue-age/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/issue-breakdown/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/all-unresolved-issues/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/members/	read	personal	organization	member	list	team:admin team:read team:write	openapi	23.7.1+2026	names and e-mail addresses
GET	/teams/{org}/{team}/projects/	read	-	organization	team	list	project:admin project:read project:write	openapi	23.7.1+2026	-
POST	/teams/{org}/{team}/projects/	write	-	organization	team	create	project:admin project:write	openapi	23.7.1+2026	-
GET	/teams/{org}/{team}/stats/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
GET	/teams/{org}/{team}/avatar/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1+2026	-
PUT	/teams/{org}/{team}/avatar/	write	-	organization	team	update	team:admin team:write	23.7.1	23.7.1+2026	-
POST	/teams/{org}/{team}/external-teams/	write	-	organization	team	create	team:admin team:write	openapi	23.7.1+2026	-
DELETE	/teams/{org}/{team}/external-teams/{external_team_id}/	write	-	organization	team	delete	team:admin	openapi	23.7.1+2026	-
PUT	/teams/{org}/{team}/external-teams/{external_team_id}/	write	-	organization	team	update	team:admin team:write	openapi	23.7.1+2026	-
GET	/sentry-apps/	secret	credential	-	integration	list	-	23.7.1	23.7.1+2026	client secret (hidden from most, shown to superuser-like callers)
POST	/sentry-apps/	write	-	-	integration	create	-	23.7.1	23.7.1+2026	-
DELETE	/sentry-apps/{sentry_app_id_or_slug}/	write	-	-	integration	delete	org:admin	openapi	23.7.1+2026	-
GET	/sentry-apps/{sentry_app_id_or_slug}/	secret	credential	-	integration	read	event:admin event:read event:write member:read org:read project:read project:releases team:read	openapi	23.7.1+2026	client secret (hidden from most, shown to superuser-like callers)
PUT	/sentry-apps/{sentry_app_id_or_slug}/	write	-	-	integration	update	org:admin org:write	openapi	23.7.1+2026	-
GET	/sentry-apps/{sentry_app_id_or_slug}/features/	read	-	-	integration	list	-	23.7.1	23.7.1+2026	-
GET	/sentry-apps/{sentry_app_id_or_slug}/components/	read	-	-	integration	list	-	23.7.1	23.7.1+2026	-
GET	/sentry-apps/{sentry_app_id_or_slug}/avatar/	secret	credential	-	integration	list	-	23.7.1	23.7.1+2026	serializes the whole integration, with its client secret
PUT	/sentry-apps/{sentry_app_id_or_slug}/avatar/	write	-	-	integration	update	-	23.7.1	23.7.1+2026	-
GET	/sentry-apps/{sentry_app_id_or_slug}/api-tokens/	secret	credential	-	credential	list	org:admin org:write	23.7.1	23.7.1+2026	tokens of an internal integration, requests with signatures
POST	/sentry-apps/{sentry_app_id_or_slug}/api-tokens/	write	mint	-	credential	mint	org:admin org:write	23.7.1	23.7.1+2026	token or secret of an integration
DELETE	/sentry-apps/{sentry_app_id_or_slug}/api-tokens/{api_token_id}/	write	-	-	credential	delete	org:admin org:write	23.7.1	23.7.1+2026	-
POST	/sentry-apps/{sentry_app_id_or_slug}/rotate-secret/	write	mint	-	integration	mint	-	rule	2026	token or secret of an integration
GET	/sentry-apps/{sentry_app_id_or_slug}/stats/	read	-	-	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
POST	/sentry-apps/{sentry_app_id_or_slug}/publish-request/	write	-	-	integration	create	-	23.7.1	23.7.1+2026	-
GET	/sentry-apps/{sentry_app_id_or_slug}/webhook-requests/	secret	credential	-	integration	list	-	rule	2026	tokens of an internal integration, requests with signatures
GET	/sentry-apps/{sentry_app_id_or_slug}/interaction/	read	-	-	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	-
POST	/sentry-apps/{sentry_app_id_or_slug}/interaction/	write	-	-	integration	create	-	23.7.1	23.7.1+2026	-
DELETE	/sentry-app-installations/{uuid}/	write	-	-	integration	delete	org:admin org:integrations org:write	23.7.1	23.7.1+2026	-
GET	/sentry-app-installations/{uuid}/	secret	credential	-	integration	read	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	grant code while it is open
PUT	/sentry-app-installations/{uuid}/	write	-	-	integration	update	-	23.7.1	23.7.1+2026	-
POST	/sentry-app-installations/{uuid}/authorizations/	write	mint	-	integration	mint	-	23.7.1	23.7.1+2026	exchanges a grant code or refresh token
GET	/sentry-app-installations/{uuid}/external-requests/	read	outside	-	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1+2026	fetches from an integration's own server
POST	/sentry-app-installations/{uuid}/external-issue-actions/	write	-	-	integration	create	event:admin event:write org:integrations	23.7.1	23.7.1+2026	-
POST	/sentry-app-installations/{uuid}/external-issues/	write	-	-	link	create	event:write	openapi	23.7.1+2026	-
DELETE	/sentry-app-installations/{uuid}/external-issues/{external_issue_id}/	write	-	-	link	delete	event:admin	openapi	23.7.1+2026	-
DELETE	/sentry-app-installations/{uuid}/service-hook-projects/	write	-	-	integration	delete	-	rule	2026	-
GET	/sentry-app-installations/{uuid}/service-hook-projects/	read	-	-	integration	list	-	rule	2026	-
POST	/sentry-app-installations/{uuid}/service-hook-projects/	write	-	-	integration	create	-	rule	2026	-
GET	/internal/health/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
GET	/internal/options/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
PUT	/internal/options/	write	instance	-	instance	update	-	23.7.1	23.7.1+2026	changes or triggers for the whole installation
POST	/internal/beacon/	write	instance	-	instance	create	-	23.7.1	23.7.1+2026	changes or triggers for the whole installation
GET	/internal/frontend-version/	read	instance	-	instance	list	-	rule	2026	version of the web client
GET	/internal/warnings/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
GET	/internal/packages/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
GET	/internal/environment/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
GET	/internal/mail/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
POST	/internal/mail/	write	instance	-	instance	create	-	23.7.1	23.7.1+2026	changes or triggers for the whole installation
GET	/internal/project-config/	secret	instance	-	instance	list	-	23.7.1	23.7.1+2026	settings, packages, environment, flags, mappings of the installation
POST	/internal/project-config/	write	instance	-	instance	create	-	rule	2026	changes or triggers for the whole installation
DELETE	/internal/integration-proxy/	write	server	-	instance	delete	-	rule	2026	signed calls between Sentry's own servers
GET	/internal/integration-proxy/	secret	server	-	instance	list	-	rule	2026	signed calls between Sentry's own servers
PATCH	/internal/integration-proxy/	write	server	-	instance	update	-	rule	2026	signed calls between Sentry's own servers
POST	/internal/integration-proxy/	write	server	-	instance	create	-	rule	2026	signed calls between Sentry's own servers
PUT	/internal/integration-proxy/	write	server	-	instance	update	-	rule	2026	signed calls between Sentry's own servers
POST	/internal/rpc/{service_name}/{method_name}/	write	server	-	instance	create	-	rule	23.7.1+2026	signed calls between Sentry's own servers
GET	/internal/scm-rpc/	secret	server	-	instance	list	-	rule	2026	signed calls between Sentry's own servers
POST	/internal/scm-rpc/	write	server	-	instance	create	-	rule	2026	signed calls between Sentry's own servers
POST	/internal/seer-rpc/{method_name}/	write	server	-	instance	create	-	rule	2026	signed calls between Sentry's own servers
GET	/internal/feature-flags/	secret	instance	-	instance	list	-	rule	2026	settings, packages, environment, flags, mappings of the installation
PUT	/internal/feature-flags/	write	instance	-	instance	update	-	rule	2026	changes or triggers for the whole installation
POST	/internal/demo/email-capture/	write	instance	-	instance	create	-	rule	2026	changes or triggers for the whole installation
GET	/internal/org-cell-mappings/	secret	instance	-	instance	list	-	rule	2026	settings, packages, environment, flags, mappings of the installation
GET	/internal/projectkey-cell-mappings/	secret	instance	-	instance	list	-	rule	2026	settings, packages, environment, flags, mappings of the installation
POST	/internal/preprod-artifact/rerun-analysis/	write	instance	-	build	create	-	rule	2026	changes or triggers for the whole installation
POST	/internal/preprod-artifact/batch-rerun-analysis/	write	instance	-	build	create	-	rule	2026	changes or triggers for the whole installation
GET	/internal/preprod-artifact/{head_artifact_id}/info/	secret	instance	-	build	list	-	rule	2026	settings, packages, environment, flags, mappings of the installation
DELETE	/internal/preprod-artifact/batch-delete/	write	instance	-	build	delete	-	rule	2026	changes or triggers for the whole installation
GET	/internal/{org}/{project}/files/preprodartifacts/{head_artifact_id}/	secret	server	path	build	read	-	rule	2026	artifacts for the build analysis service
PUT	/internal/{org}/{project}/files/preprodartifacts/{head_artifact_id}/update/	write	server	path	build	update	-	rule	2026	artifacts for the build analysis service
POST	/internal/{org}/{project}/files/preprodartifacts/{head_artifact_id}/assemble-generic/	write	server	path	build	create	-	rule	2026	artifacts for the build analysis service
PUT	/internal/{org}/{project}/files/preprodartifacts/{head_artifact_id}/size/	write	server	path	build	update	-	rule	2026	artifacts for the build analysis service
PUT	/internal/{org}/{project}/files/preprodartifacts/{head_artifact_id}/size/{identifier:free}/	write	server	path	build	update	-	rule	2026	artifacts for the build analysis service
GET	/internal/notifications/registered-templates/	secret	instance	-	instance	list	-	rule	2026	settings, packages, environment, flags, mappings of the installation
POST	/internal/seer/night-shift/trigger/	write	instance	-	seer	create	-	rule	2026	changes or triggers for the whole installation
POST	/internal/seer/monitor-cleanup/trigger/	write	instance	-	seer	create	-	rule	2026	changes or triggers for the whole installation
GET	/assistant/	read	user	-	assistant	list	-	23.7.1	23.7.1+2026	which guides a person has seen
PUT	/assistant/	write	-	-	assistant	update	-	23.7.1	23.7.1+2026	-
GET	/api-applications/	secret	credential	-	credential	list	-	23.7.1	23.7.1+2026	client secret for a day after its making
POST	/api-applications/	write	mint	-	credential	mint	-	23.7.1	23.7.1+2026	OAuth applications and their secrets
DELETE	/api-applications/{app_id}/	write	mint	-	credential	delete	-	23.7.1	23.7.1+2026	OAuth applications and their secrets
GET	/api-applications/{app_id}/	secret	credential	-	credential	read	-	23.7.1	23.7.1+2026	client secret for a day after its making
PUT	/api-applications/{app_id}/	write	mint	-	credential	update	-	23.7.1	23.7.1+2026	OAuth applications and their secrets
POST	/api-applications/{app_id}/rotate-secret/	write	mint	-	credential	mint	-	23.7.1	23.7.1+2026	OAuth applications and their secrets
DELETE	/api-authorizations/	write	-	-	credential	delete	-	23.7.1	23.7.1+2026	-
GET	/api-authorizations/	secret	personal	-	credential	list	-	23.7.1	23.7.1+2026	what a person authorized
DELETE	/api-tokens/	write	mint	-	credential	delete	-	23.7.1	23.7.1+2026	a person's tokens
GET	/api-tokens/	secret	credential	-	credential	list	-	23.7.1	23.7.1+2026	a person's tokens
POST	/api-tokens/	write	mint	-	credential	mint	-	23.7.1	23.7.1+2026	a person's tokens
DELETE	/api-tokens/{token_id}/	write	mint	-	credential	delete	-	rule	2026	a person's tokens
GET	/api-tokens/{token_id}/	secret	credential	-	credential	read	-	rule	2026	a person's tokens
PUT	/api-tokens/{token_id}/	write	mint	-	credential	update	-	rule	2026	a person's tokens
GET	/seer/models/	read	-	-	seer	list	-	openapi	2026	-
GET	/authenticators/	secret	user	-	session	list	-	23.7.1	23.7.1+2026	second factors
GET	/accept-transfer/	secret	credential	-	accept-transfer	list	-	23.7.1	23.7.1+2026	its path or query is a signed invitation
POST	/accept-transfer/	write	mint	-	accept-transfer	mint	-	23.7.1	23.7.1+2026	joins an organization, takes a project over
GET	/accept-invite/{org}/{member_id}/{token}/	secret	credential	organization	member	read	-	23.7.1	23.7.1+2026	its path or query is a signed invitation
POST	/accept-invite/{org}/{member_id}/{token}/	write	mint	organization	member	mint	-	23.7.1	23.7.1+2026	joins an organization, takes a project over
GET	/notification-defaults/	read	-	-	notification-defaults	list	-	rule	2026	-
GET	/sentry-apps-stats/	secret	instance	-	integration	list	-	23.7.1	23.7.1+2026	all integrations with counts
GET	/doc-integrations/	read	-	-	doc-integrations	list	-	23.7.1	23.7.1+2026	-
POST	/doc-integrations/	write	-	-	doc-integrations	create	-	23.7.1	23.7.1+2026	-
DELETE	/doc-integrations/{doc_integration_id_or_slug}/	write	-	-	doc-integrations	delete	-	23.7.1	23.7.1+2026	-
GET	/doc-integrations/{doc_integration_id_or_slug}/	read	-	-	doc-integrations	read	-	23.7.1	23.7.1+2026	-
PUT	/doc-integrations/{doc_integration_id_or_slug}/	write	-	-	doc-integrations	update	-	23.7.1	23.7.1+2026	-
GET	/doc-integrations/{doc_integration_id_or_slug}/avatar/	read	-	-	avatar	list	-	23.7.1	23.7.1+2026	-
PUT	/doc-integrations/{doc_integration_id_or_slug}/avatar/	write	-	-	avatar	update	-	23.7.1	23.7.1+2026	-
GET	/integration-features/	read	-	-	integration-features	list	-	23.7.1	23.7.1+2026	-
DELETE	/wizard/	write	-	-	wizard	delete	-	23.7.1	23.7.1+2026	-
GET	/wizard/	write-on-GET	credential	-	wizard	list	-	23.7.1	23.7.1+2026	makes a set-up slot, no authentication
DELETE	/wizard/{wizard_hash}/	write	-	-	wizard	delete	-	23.7.1	23.7.1+2026	-
GET	/wizard/{wizard_hash}/	secret	credential	-	wizard	read	-	23.7.1	23.7.1+2026	tokens and keys once the slot is filled, no authentication
GET	/publickeys/relocations/	read	anonymous	-	relocations	list	-	rule	2026	a public key
GET	/uptime-ips/	read	-	-	uptime	list	-	rule	2026	-
GET	/tempest-ips/	read	-	-	tempest-ips	list	-	rule	2026	-
POST	/secret-scanning/github/	write	server	-	github	create	-	rule	2026	revokes leaked tokens, GitHub's signature
GET	/	read	identity	-	session	list	-	23.7.1	23.7.1+2026	answered by the proxy for a narrowed alias
GET	/users/me/	read	identity	-	user	read	-	rule	23.7.1+2026	answered by the proxy for a narrowed alias
GET	/users/me/regions/	read	identity	-	user	read	-	rule	23.7.1+2026	answered by the proxy for a narrowed alias
GET	/users/me/organizations/	read	user	-	user	read	-	rule	23.7.1+2026	bound to a person
GET	/accept-invite/{member_id}/{token}/	secret	credential	-	member	read	-	23.7.1	23.7.1	its path or query is a signed invitation
POST	/accept-invite/{member_id}/{token}/	write	mint	-	member	mint	-	23.7.1	23.7.1	joins an organization, takes a project over
GET	/builtin-symbol-sources/	read	-	-	builtin-symbol-sources	list	-	23.7.1	23.7.1	-
GET	/grouping-configs/	read	-	-	grouping-configs	list	-	23.7.1	23.7.1	-
GET	/internal/check-am2-compatibility/	secret	instance	-	instance	list	-	23.7.1	23.7.1	settings, packages, environment, flags, mappings of the installation
GET	/internal/queue/tasks/	secret	instance	-	instance	list	-	23.7.1	23.7.1	settings, packages, environment, flags, mappings of the installation
GET	/internal/quotas/	secret	instance	-	instance	list	-	23.7.1	23.7.1	settings, packages, environment, flags, mappings of the installation
GET	/internal/stats/	secret	instance	-	instance	list	-	23.7.1	23.7.1	settings, packages, environment, flags, mappings of the installation
POST	/issue-occurrence/	write	server	-	issue-occurrence	create	-	23.7.1	23.7.1	makes issues, signed
GET	/issues/{issue_id}/first-last-release/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
GET	/issues/{issue_id}/grouping/levels/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
GET	/issues/{issue_id}/grouping/levels/{id}/new-issues/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
DELETE	/issues/{issue_id}/hashes/	write	-	object	issue	delete	event:admin	23.7.1	23.7.1	-
DELETE	/issues/{issue_id}/hashes/split/	write	-	object	issue	delete	event:admin	23.7.1	23.7.1	-
GET	/issues/{issue_id}/hashes/split/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
PUT	/issues/{issue_id}/hashes/split/	write	-	object	issue	update	event:admin event:write	23.7.1	23.7.1	-
GET	/issues/{issue_id}/participants/	read	personal	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	names and e-mail addresses
POST	/monitors/{monitor_slug:free}/checkins/	write	-	-	monitor	create	project:admin project:read project:write	23.7.1	23.7.1	-
PUT	/monitors/{monitor_slug:free}/checkins/{checkin_id}/	write	-	-	monitor	update	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/organizations/{org}/activity/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1	-
POST	/organizations/{org}/auth-provider/send-reminders/	write	-	organization	organization	create	org:admin	23.7.1	23.7.1	-
GET	/organizations/{org}/config/repos/	read	-	organization	repository	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/events-facets-stats/	read	-	organization	event	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/events-geo/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/events-spans-histogram/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/events-starfish/	read	-	query-code	event	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/events-trace-light/{trace_id}/	read	-	query-code	event	read	org:admin org:read org:write	23.7.1	23.7.1	-
POST	/organizations/{org}/experimental/projects/	write	-	organization	project	create	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/organizations/{org}/functions/	secret	credential	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1	environment of hosted functions (until 2024)
POST	/organizations/{org}/functions/	write	-	organization	organization	create	org:admin org:write	23.7.1	23.7.1	-
DELETE	/organizations/{org}/functions/{function_slug}/	write	-	organization	organization	delete	org:admin	23.7.1	23.7.1	-
GET	/organizations/{org}/functions/{function_slug}/	secret	credential	organization	organization	read	org:admin org:read org:write	23.7.1	23.7.1	environment of hosted functions (until 2024)
PUT	/organizations/{org}/functions/{function_slug}/	write	-	organization	organization	update	org:admin org:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/incidents/{incident_identifier}/	write	-	organization	alert	update	org:admin org:write project:admin project:read project:write	23.7.1	23.7.1	-
GET	/organizations/{org}/incidents/{incident_identifier}/activity/	read	-	organization	alert	list	org:admin org:read org:write project:admin project:read project:write	23.7.1	23.7.1	-
POST	/organizations/{org}/incidents/{incident_identifier}/comments/	write	-	organization	comment	create	org:admin org:write project:admin project:read project:write	23.7.1	23.7.1	-
DELETE	/organizations/{org}/incidents/{incident_identifier}/comments/{activity_id}/	write	-	organization	comment	delete	org:admin org:write project:admin project:read project:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/incidents/{incident_identifier}/comments/{activity_id}/	write	-	organization	comment	update	org:admin org:write project:admin project:read project:write	23.7.1	23.7.1	-
POST	/organizations/{org}/incidents/{incident_identifier}/seen/	write	-	organization	alert	create	org:admin org:write project:admin project:read project:write	23.7.1	23.7.1	-
DELETE	/organizations/{org}/incidents/{incident_identifier}/subscriptions/	write	-	organization	alert	delete	-	23.7.1	23.7.1	-
POST	/organizations/{org}/incidents/{incident_identifier}/subscriptions/	write	-	organization	alert	create	-	23.7.1	23.7.1	-
PUT	/organizations/{org}/integrations/{integration_id}/	write	-	organization	link	update	org:admin org:integrations org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/issues/{issue_id}/grouping/levels/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
GET	/organizations/{org}/issues/{issue_id}/grouping/levels/{id}/new-issues/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
DELETE	/organizations/{org}/issues/{issue_id}/hashes/	write	-	object	issue	delete	event:admin	23.7.1	23.7.1	-
DELETE	/organizations/{org}/issues/{issue_id}/hashes/split/	write	-	object	issue	delete	event:admin	23.7.1	23.7.1	-
GET	/organizations/{org}/issues/{issue_id}/hashes/split/	read	-	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/issues/{issue_id}/hashes/split/	write	-	object	issue	update	event:admin event:write	23.7.1	23.7.1	-
GET	/organizations/{org}/issues/{issue_id}/participants/	read	personal	object	issue	list	event:admin event:read event:write	23.7.1	23.7.1	names and e-mail addresses
GET	/organizations/{org}/members/{member_id}/unreleased-commits/	read	personal	organization	member	list	org:admin org:read org:write	23.7.1	23.7.1	names and e-mail addresses
GET	/organizations/{org}/metrics/meta/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/metrics/meta/{metric_name:free}/	read	-	query-code	organization	read	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/metrics/tags/	read	-	query-code	tag	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/metrics/tags/{tag_name:free}/	read	-	query-code	tag	read	org:admin org:read org:write	23.7.1	23.7.1	-
DELETE	/organizations/{org}/pinned-searches/	write	-	organization	organization	delete	org:admin org:read org:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/pinned-searches/	write	-	organization	organization	update	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/plugins/	secret	credential	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1	settings of plugins, with their keys (until 2025)
GET	/organizations/{org}/plugins/configs/	secret	credential	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1	settings of plugins, with their keys (until 2025)
GET	/organizations/{org}/processingissues/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/profiling/filters/	read	-	organization	trace	list	org:admin org:read org:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/repos/{repo_id}/	write	-	organization	repository	update	org:admin org:integrations org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/searches/	read	-	organization	organization	list	org:admin org:read org:write	23.7.1	23.7.1	-
POST	/organizations/{org}/searches/	write	-	organization	organization	create	org:admin org:read org:write	23.7.1	23.7.1	-
DELETE	/organizations/{org}/searches/{search_id}/	write	-	organization	organization	delete	org:admin org:read org:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/searches/{search_id}/	write	-	organization	organization	update	org:admin org:read org:write	23.7.1	23.7.1	-
PUT	/organizations/{org}/slugs/	write	-	organization	organization	update	org:admin org:write	23.7.1	23.7.1	-
GET	/organizations/{org}/transaction-anomaly-detection/	read	-	query-code	organization	list	org:admin org:read org:write	23.7.1	23.7.1	-
GET	/profiling/projects/{project_id}/profile/{profile_id}/	read	-	-	trace	read	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/projects/{org}/rule-conditions/	read	-	organization	rule-conditions	list	org:admin org:read org:write	23.7.1	23.7.1	-
POST	/projects/{org}/{project}/appstoreconnect/	write	-	path	project	create	project:admin project:write	23.7.1	23.7.1	-
POST	/projects/{org}/{project}/appstoreconnect/apps/	write	-	path	project	create	project:admin project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/appstoreconnect/status/	secret	credential	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	settings of plugins, with their keys (until 2025)
POST	/projects/{org}/{project}/appstoreconnect/{credentials_id}/	write	-	path	project	create	project:admin project:write	23.7.1	23.7.1	-
POST	/projects/{org}/{project}/appstoreconnect/{credentials_id}/refresh/	write	-	path	project	create	project:admin project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/avatar/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	-
PUT	/projects/{org}/{project}/avatar/	write	-	path	project	update	project:admin project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/combined-rules/	read	-	path	alert	list	project:admin project:read project:write	23.7.1	23.7.1	-
POST	/projects/{org}/{project}/create-sample-transaction/	write	-	path	project	create	event:admin event:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/docs/{platform}/	secret	credential	path	project	read	project:admin project:read project:write	23.7.1	23.7.1	instructions with the secret half of the client key filled in
GET	/projects/{org}/{project}/dynamic-sampling/distribution/	read	-	path	project	list	project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/events/{event_id}/ai-fix-suggest/	read	cost	path	event	list	project:admin project:read project:write	23.7.1	23.7.1	asks a language model
GET	/projects/{org}/{project}/grouping-configs/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/platforms/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/plugins/	secret	credential	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	settings of plugins, with their keys (until 2025)
DELETE	/projects/{org}/{project}/plugins/{plugin_id}/	write	-	path	project	delete	project:admin	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/plugins/{plugin_id}/	secret	credential	path	project	read	project:admin project:read project:write	23.7.1	23.7.1	settings of plugins, with their keys (until 2025)
POST	/projects/{org}/{project}/plugins/{plugin_id}/	write	-	path	project	create	project:admin project:write	23.7.1	23.7.1	-
PUT	/projects/{org}/{project}/plugins/{plugin_id}/	write	-	path	project	update	project:admin project:write	23.7.1	23.7.1	-
DELETE	/projects/{org}/{project}/processingissues/	write	-	path	project	delete	project:admin	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/processingissues/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	-
DELETE	/projects/{org}/{project}/processingissues/discard/	write	-	path	project	delete	project:admin	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/profiling/flamegraph/	read	-	path	trace	list	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/profiling/functions/	secret	credential	path	trace	list	project:admin project:read project:write	23.7.1	23.7.1	environment of hosted functions (until 2024)
GET	/projects/{org}/{project}/profiling/transactions/{transaction_id}/	read	-	path	trace	read	project:admin project:read project:write	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/stacktrace-links/	read	outside	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	asks the source code provider with the stored credentials
GET	/projects/{org}/{project}/user-stats/	read	-	path	project	list	project:admin project:read project:write	23.7.1	23.7.1	-
DELETE	/projects/{org}/{project}/users/{user_hash:free}/	write	-	path	user	delete	project:admin	23.7.1	23.7.1	-
GET	/projects/{org}/{project}/users/{user_hash:free}/	read	personal	path	user	read	project:admin project:read project:write	23.7.1	23.7.1	names and e-mail addresses
GET	/prompts-activity/	read	-	-	prompts-activity	list	-	23.7.1	23.7.1	-
PUT	/prompts-activity/	write	-	-	prompts-activity	update	-	23.7.1	23.7.1	-
GET	/relays/	secret	server	-	instance	list	-	23.7.1	23.7.1	Relay's own keys and registration
POST	/relays/projectids/	write	server	-	instance	create	-	23.7.1	23.7.1	registration of Relays
GET	/sentry-apps/{sentry_app_slug}/requests/	secret	credential	-	integration	list	org:admin org:integrations org:read org:write	23.7.1	23.7.1	headers, bodies and address of webhook requests
GET	/shared/issues/{share_id}/	read	anonymous	-	issues	read	-	23.7.1	23.7.1	whoever has the share id may read the issue
GET	/teams/{org}/{team}/alerts-triggered-index/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1	-
GET	/teams/{org}/{team}/alerts-triggered/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1	-
GET	/teams/{org}/{team}/notification-settings/	read	-	organization	team	list	team:admin team:read team:write	23.7.1	23.7.1	-
PUT	/teams/{org}/{team}/notification-settings/	write	-	organization	team	update	team:admin team:write	23.7.1	23.7.1	-
GET	/users/{user_id}/notification-settings/	secret	user	-	user	list	-	23.7.1	23.7.1	a person's settings
PUT	/users/{user_id}/notification-settings/	write	user	-	user	update	-	23.7.1	23.7.1	a person's account, password, permissions, roles
GET	/users/{user_id}/notifications/{notification_type}/	secret	user	query-code	user	read	-	23.7.1	23.7.1	a person's settings
PUT	/users/{user_id}/notifications/{notification_type}/	write	user	query-code	user	update	-	23.7.1	23.7.1	a person's account, password, permissions, roles
GET	/users/{user_id}/social-identities/	secret	user	-	user	list	-	23.7.1	23.7.1	a person's settings
DELETE	/users/{user_id}/social-identities/{identity_id}/	write	user	-	user	delete	-	23.7.1	23.7.1	a person's account, password, permissions, roles

"""#

/// The sets that are always there: Policy/sets.policy.
// swift-format-ignore
let builtInSetText: StaticString = #"""
# The sets that are always there, in the syntax of a policy file (docs/rights.md). Every line names rows of endpoints.tsv.
# O, P, T and I stand for /api/0/organizations/*/, /api/0/projects/*/*/, /api/0/teams/*/*/ and /api/0/organizations/*/issues/*/ ;
# `*` is one segment of a path. From what the clients ask: sentry-cli, the sentry CLI, sentry-mcp, Grafana's data source.

set identity                      # always held by a narrowed alias; all five are answered by the proxy itself
    allow GET /api/0/ /api/0/auth/ /api/0/auth/validate/ /api/0/users/me/ /api/0/users/me/regions/

set read-only                     # by effect, not by list
    effect read                   # class instance, server, user, personal, mint are left out; anonymous and outside are in
    effect read-by-POST           # without class cost
set people                        # names and addresses: members, users, audit of who saw what
    class personal effect read
set raw                           # what is downloaded whole: attachments, debug files, recordings, events as received, objects
    class raw
set dsn                           # client keys, with their secret half (Sentry has no other form)
    allow GET P keys/ P keys/*/ O project-keys/ O dsn-lookup/
set ai                            # costs money at the model's provider, changes nothing else
    class cost effect read-by-POST
    class cost effect read

set ci-upload                     # sentry-cli and the bundler plugins: releases, source maps, debug files, deploys, builds
    allow GET,POST O chunk-upload/
    allow POST O artifactbundle/assemble/ P files/difs/assemble/ O releases/*/assemble/
    allow GET,POST O releases/
    allow POST P releases/
    allow GET,PUT O releases/*/
    allow GET P releases/ O releases/*/commits/ O releases/*/previous-with-commits/ O repos/
    allow GET,POST O releases/*/deploys/
    allow GET,POST O releases/*/files/ P releases/*/files/
    allow POST P reprocessing/ P files/dsyms/associate/
    allow POST P files/preprodartifacts/assemble/ P preprodartifacts/snapshots/
    allow GET P preprodartifacts/snapshots/upload-options/ O preprodartifacts/snapshots/latest-base/
    allow POST O code-mappings/bulk/
    # not in it: DELETE of releases (`sentry-cli releases delete`): set release-admin

set release-admin
    use ci-upload
    allow DELETE O releases/*/ P releases/*/ O releases/*/files/*/ P releases/*/files/*/

set cli                           # getsentry/cli: what its reading commands ask, after `sentry auth login --read-only`
    allow GET /api/0/organizations/ /api/0/projects/ O O projects/ P O teams/ P teams/ O repos/
    allow GET O issues/ I /api/0/issues/*/ O shortids/*/ O eventids/*/ I events/ I events/*/ P events/*/ P events/*/attachments/ I autofix/
    allow GET O events/ O events-stats/ O trace/*/ O trace-meta/*/ O trace-logs/ P trace-items/*/
    allow GET O replays/ O replays/*/ O replay-count/ O monitors/ O workflows/ O workflows/*/ O detectors/ O detectors/*/
    allow GET O dashboards/ O dashboards/*/ O dashboards/*/revisions/ O dashboards/*/revisions/*/
    allow GET O releases/ O releases/*/ O releases/*/deploys/ O ai-conversations/ O ai-conversations/*/ O shared/issues/*/
    # with `raw`: attachments and replay segments; with `dsn`: `sentry project view` shows the DSN

set mcp                           # sentry-mcp, skill "inspect" (its default with `seer`)
    allow GET /api/0/organizations/ O O teams/ O projects/ P P teams/ O repos/ O tags/ O environments/
    allow GET O issues/ I I tags/*/ I external-issues/ I user-reports/ I events/ I events/*/ I activities/ I notes/ I autofix/
    allow GET O events/ O events/validate/ O trace-items/attributes/ O trace/*/ O trace-meta/*/ P events/*/attachments/ P stacktrace-link/
    allow GET O replays/ O replays/*/ O replay-count/ O ai-conversations/ O ai-conversations/*/
    allow GET O releases/ O releases/*/ P releases/ P releases/*/ O releases/*/deploys/ O releases/*/commits/ P releases/*/commits/
    allow GET O monitors/ O monitors/*/ O monitors/*/checkins/ O monitors/*/stats/ P monitors/*/ P monitors/*/checkins/ P monitors/*/stats/
    allow GET O uptime/ P uptime/*/ P uptime/*/checks/ O workflows/ O alert-rules/ O alert-rules/*/ O combined-rules/
    allow GET O dashboards/ O dashboards/*/ O profiling/flamegraph/ O profiling/chunks/ P profiling/profiles/*/
    allow GET O preprodartifacts/snapshots/*/ O preprodartifacts/snapshots/*/images/*/ O preprodartifacts/snapshots/latest-base/
set mcp-media                     # get_event_attachment, get_replay_details
    allow GET P events/*/attachments/*/ P replays/*/recording-segments/
set mcp-triage                    # skill "triage": update_issue, add_issue_note
    use mcp
    allow PUT I
    allow POST I notes/
set mcp-seer                      # skill "seer": analyze_issue_with_seer
    use mcp
    allow POST I autofix/
set mcp-manage                    # skill "project-management"
    use mcp dsn
    danger POST P keys/
    allow POST O teams/ T projects/ P teams/*/ P keys/ P uptime/ O onboarding/agent/status/ O code-mappings/bulk/
    allow PUT P P keys/*/ P uptime/*/
    allow DELETE P teams/*/ P uptime/*/

set triage                        # people's and bots' triage, without the agent
    use read-only
    allow PUT I O issues/
    allow POST I notes/
    allow PUT,DELETE I notes/*/
    needs id on PUT O issues/     # without ?id= it changes every issue that the query meets: refused
    # not in it: DELETE of issues

set grafana                       # grafana-sentry-datasource: GET only
    allow GET /api/0/organizations/ O O projects/ O teams/ O environments/ P environments/ O tags/
    allow GET O issues/ O events/ O events-stats/ O stats_v2/ O metrics/data/ O sessions/ O trace-items/attributes/

set monitors                      # scripts that keep cron monitors as code
    allow GET,POST O monitors/
    allow GET,PUT,DELETE O monitors/*/ P monitors/*/
    allow GET O monitors/*/checkins/ P monitors/*/checkins/

"""#
