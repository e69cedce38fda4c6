#!/bin/bash
# The straight way, against the real program: init, serve, a client, curl;
# issued, replayed, pending and approved, denied, refused; the log; stop.
# Prints TAP. $COUNTERSIGN names the program (./countersign).
set -u
countersign=${COUNTERSIGN:-./countersign}
work=$(mktemp -d)
export COUNTERSIGN_DIR=$work/ca
server=
n=0
failed=0

cleanup() {
	[ -z "$server" ] || kill -9 "$server" 2>/dev/null
	if [ -n "${KEEP:-}" ]; then
		echo "# kept: $work"
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT

# ok STATUS SENTENCE: one test; on failure, show what the last call said.
ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/said" 2>/dev/null | head -n 30
		tail -n 5 "$work/log" 2>/dev/null | sed 's/^/# log: /'
	fi
}

# status WANTED COMMAND...: run it; its output is in $work/out, said.
status() {
	local want=$1
	shift
	"$@" >"$work/out" 2>"$work/err"
	local got=$?
	{
		echo "exit $got, wanted $want: $*"
		cat "$work/out" "$work/err"
	} >"$work/said"
	[ "$got" -eq "$want" ]
}

# http WANTED PATH [CURL-OPTION]...: the answer's body is in $work/out.
http() {
	local want=$1 path=$2
	shift 2
	local got
	got=$(curl -sS --max-time 20 --cacert "$COUNTERSIGN_DIR/root.pem" \
		-o "$work/out" -D "$work/head" -w '%{http_code}' \
		-H "Authorization: Bearer $token" "$@" "$url$path" \
		2>"$work/err")
	{
		echo "HTTP $got, wanted $want: $path"
		cat "$work/out" "$work/err"
	} >"$work/said"
	[ "$got" = "$want" ]
}

member() {
	sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' "$work/out" | head -n 1
}

csr() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$work/key.pem" -subj "$1" -addext "subjectAltName=$2" \
		-out "$work/req.pem" 2>/dev/null
}

# body CONDITION-TYPE: a request for the CSR, with that condition.
body() {
	printf '{"csr":"%s","duration":"24h","usages":["digital signature",' \
		"$(awk '{printf "%s\\n", $0}' "$work/req.pem")"
	printf '"server auth"]'
	[ -z "$1" ] || printf ',"conditions":[{"type":"%s","status":"True"}]' \
		"$1"
	printf '}'
}

submit() {
	local want=$1 condition=$2
	shift 2
	http "$want" /v1/requests -H 'Content-Type: application/json' \
		-d "$(body "$condition")" "$@"
}

echo 1..31

status 0 "$countersign" init --host localhost --host 127.0.0.1
ok $? "init makes an installation"
status 1 "$countersign" init
ok $? "init refuses a directory that is not empty"
[ "$(stat -c %a "$COUNTERSIGN_DIR/log.key" \
	"$COUNTERSIGN_DIR/issuers/default/key.pem" \
	"$COUNTERSIGN_DIR/tls/key.pem" "$COUNTERSIGN_DIR/offline/root.key" |
	sort -u)" = 600 ]
ok $? "every key file is readable by its owner only"
status 0 openssl verify -x509_strict -CAfile "$COUNTERSIGN_DIR/root.pem" \
	-untrusted "$COUNTERSIGN_DIR/tls/chain.pem" \
	"$COUNTERSIGN_DIR/tls/chain.pem"
ok $? "the listener's certificate verifies under the root"
status 0 "$countersign" audit list -o ndjson --order asc &&
	grep -q '"ca.created"' "$work/out" &&
	grep -q '"policy.applied"' "$work/out" &&
	grep -q '"issued"' "$work/out"
ok $? "the log begins with the CA, the policy and the listener"
status 3 "$countersign" client add early --right submit
ok $? "a writing command says that no server runs"

"$countersign" serve --listen 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
	grep -q '^ready ' "$work/ready" && break
	kill -0 "$server" 2>/dev/null || break
	sleep 0.1
done
url=$(sed -n 's/^ready //p' "$work/ready")
cp "$work/log" "$work/said"
[ -n "$url" ]
ok $? "serve says where it is ready"
status 75 "$countersign" serve --listen 127.0.0.1:0
ok $? "a second serve on the same directory gives up"

status 0 "$countersign" client add portal --right submit,approve,audit
ok $? "client add prints a token"
token=$(tail -n 1 "$work/out")
http 200 /readyz
ok $? "the server is ready over HTTPS"

csr /CN=www.example.org DNS:www.example.org
submit 201 Approved -H 'Idempotency-Key: one'
ok $? "an approved CSR becomes a certificate"
serial=$(member serial)
first=$(member id)
cp "$work/out" "$work/first"
printf '%b' "$(member certificate)" >"$work/chain.pem"
status 0 openssl verify -x509_strict -CAfile "$COUNTERSIGN_DIR/root.pem" \
	-untrusted "$work/chain.pem" "$work/chain.pem"
ok $? "openssl verifies it strictly under the root"
submit 201 Approved -H 'Idempotency-Key: one' &&
	cmp -s "$work/out" "$work/first" &&
	grep -qi '^idempotent-replay: true' "$work/head"
ok $? "the same key gives the same bytes"
csr /CN=other.example.org DNS:other.example.org
submit 409 Approved -H 'Idempotency-Key: one'
ok $? "the same key with another request is a conflict"

submit 202 ""
ok $? "without an approval it is pending"
pending=$(member id)
status 0 "$countersign" request list --state pending &&
	grep -q "$pending" "$work/out"
ok $? "approvers see it in their list"
status 0 "$countersign" request approve "$pending" --message "ticket 4711"
ok $? "the local administrator approves it"
http 200 "/v1/requests/$pending" && [ "$(member state)" = issued ]
ok $? "and it is issued"
submit 202 ""
status 0 "$countersign" request deny "$(member id)" --reason Unknown
ok $? "another one is denied"
submit 422 Denied && [ "$(member verdict)" = denied ]
ok $? "what comes with Denied=True is never issued"

csr "/C=XX/O=Acme/CN=a.example.org" DNS:a.example.org
submit 422 Approved && [ "$(grep -o '"code":"SUBJECT' "$work/out" |
	wc -l)" -ge 2 ]
ok $? "a refusal names every violation of its phase"
status 1 "$countersign" issue --csr "$work/req.pem" --approve &&
	grep -q SUBJECT_ "$work/err"
ok $? "issue prints them on standard error"
csr /CN=b.example.org DNS:b.example.org
status 0 "$countersign" issue --csr "$work/req.pem" --approve &&
	grep -q 'BEGIN CERTIFICATE' "$work/out"
ok $? "issue prints the chain"

status 0 "$countersign" cert show "$serial" -o text &&
	grep -q 'DNS:www.example.org' "$work/out"
ok $? "cert show prints a certificate in words"
status 0 "$countersign" policy show &&
	grep -q '^kind: IssuancePolicy$' "$work/out"
ok $? "policy show prints the sources in force"
status 0 "$countersign" status
ok $? "status tells how it is"
status 0 "$countersign" audit list --verdict refused &&
	grep -q refused "$work/out"
ok $? "the log is filtered by verdict"
status 0 "$countersign" audit verify
ok $? "the log verifies while the server runs"

kill "$server"
wait "$server"
code=$?
server=
echo "exit $code" >"$work/said"
[ "$code" -eq 0 ]
ok $? "SIGTERM stops the server with status 0"
status 0 "$countersign" request show "$first" &&
	status 0 "$countersign" audit list && grep -q issued "$work/out"
ok $? "reading commands work on the files of a stopped server"
status 0 "$countersign" audit verify
ok $? "the log of the stopped server verifies"
[ "$failed" -eq 0 ]
