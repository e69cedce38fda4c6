/*
 * Every maximum, with its reason. A buffer, list, queue or count that input
 * can make grow takes its bound from here.
 */
#ifndef CS_BASE_LIMITS_H
#define CS_BASE_LIMITS_H

/* A CSR in DER: an RSA-4096 key, 100 names and a margin. */
#define CS_MAX_CSR_DER 16384
/* The same in PEM: 4/3, line ends, and the two armour lines. */
#define CS_MAX_CSR_PEM 24576
/* Relative names in a subject: real ones have at most six. */
#define CS_MAX_RDNS 16
/* A directory name as text: its values, escaped or in hexadecimal. */
#define CS_MAX_DN 8192
/* Bytes of one subject attribute's value; RFC 5280 A.1 bounds most at 64. */
#define CS_MAX_ATTRIBUTE 128
/* Subject alternative names of one request. */
#define CS_MAX_NAMES 100
/* Extensions of one request or certificate. */
#define CS_MAX_EXTENSIONS 32
/* Purposes of one extKeyUsage: the common ones are a dozen. */
#define CS_MAX_EXT_KEY_USAGES 32
/* URLs or policies of one extension of a certificate that we read. */
#define CS_MAX_URLS 16
/* Extensions that one policy adds, and of one CSR that it passes on. */
#define CS_MAX_POLICY_EXTENSIONS 16
/* Octets of one of them: beyond anything but a list of SCTs. */
#define CS_MAX_EXTENSION_VALUE 4096
/* Attributes of one CSR (PKCS#9 knows a handful). */
#define CS_MAX_CSR_ATTRIBUTES 8
/* Bytes of one OID's content; X.660 sets none, real ones are under 20. */
#define CS_MAX_OID 32
/* Levels of nested DER that a reader of ours follows. */
#define CS_MAX_DER_DEPTH 16
/* Subtrees of one list of a CA's name constraints: large companies' lists. */
#define CS_MAX_SUBTREES 1024
/* A host name, RFC 1035 2.3.4 (without the trailing dot). */
#define CS_MAX_DNS_NAME 253
/* A URI SAN: SPIFFE allows 2048. */
#define CS_MAX_URI 2048
/* A TBS: as its CSR, and what policy may add. */
#define CS_MAX_TBS 24576
/* A whole certificate: TBS, algorithm, an RSA-4096 signature. */
#define CS_MAX_CERT 25600
/* A signature: RSA-4096 has 512 bytes. */
#define CS_MAX_SIGNATURE 1024
/* A serial: RFC 5280 4.1.2.2. */
#define CS_MAX_SERIAL 20
/* Certificates that one OCSP request asks about: servers staple one, tools
   ask for a chain. */
#define CS_MAX_OCSP_SINGLES 16
/* One CertID: two hashes, a serial, and a foreign algorithm's parameters. */
#define CS_MAX_OCSP_CERT_ID 256
/* An OCSP request: those, a nonce, and a signature with a chain. */
#define CS_MAX_OCSP_REQUEST 16384
/* Its response: those again, and the responder's certificate. */
#define CS_MAX_OCSP_RESPONSE 49152

/* A request body; also the largest answer we buffer for one page. */
#define CS_MAX_HTTP_BODY    65536
#define CS_MAX_HTTP_HEAD    8192
#define CS_MAX_HTTP_HEADERS 32
#define CS_MAX_HTTP_TARGET  2048
/* Its path alone: the longest route with an id or a tile is under 128. */
#define CS_MAX_HTTP_PATH 512
/* Method, target and version, with what stands between them. */
#define CS_MAX_HTTP_REQUEST_LINE 2080
/* The body of one answer: a page of 256 KiB, escaped, and a margin. */
#define CS_MAX_HTTP_ANSWER (1024 * 1024)
/* The head of one answer: a status line and a dozen short fields. */
#define CS_MAX_HTTP_ANSWER_HEAD 4096
/* Listening sockets: 32 with TLS, 32 without, and the Unix socket. */
#define CS_MAX_HTTP_LISTENS 65
/* TCP connections of one address, unless the configuration says else. */
#define CS_HTTP_PER_ADDRESS 64
/*
 * TCP connections, unless the configuration says else: 10,000 slow ones and
 * 3,000 with TLS, and a good client still finds a place. 24 KiB each.
 */
#define CS_HTTP_CONNECTIONS 16384
/* Open TCP connections, whatever the configuration says. */
#define CS_MAX_HTTP_CONNECTIONS 65000
/* And connections over the Unix socket, which have slots of their own. */
#define CS_MAX_HTTP_LOCAL 64

/* A name of ours: client, issuer, realm, policy. */
#define CS_MAX_NAME 64
/* Idempotency-Key and uid: a UUID has 36. */
#define CS_MAX_IDEMPOTENCY_KEY 128
/* A free text that a person wrote: reason, message. */
#define CS_MAX_FREE_TEXT 1024
/* A requester, owner, approver or group: a Kubernetes service account's name
   (system:serviceaccount:NAMESPACE:NAME) has 340 at most. */
#define CS_MAX_PRINCIPAL 512
/* Groups of one requester; extra attributes of one, and values of each. */
#define CS_MAX_GROUPS 128
#define CS_MAX_EXTRA  32
/* Labels of a namespace, attributes and conditions of a request. */
#define CS_MAX_LABELS	  64
#define CS_MAX_ATTRIBUTES 32
#define CS_MAX_CONDITIONS 16
/* Usages of one request: cert-manager knows 23 words. */
#define CS_MAX_USAGES 32
/* The canonical JSON of a request's scalars. */
#define CS_MAX_SCALARS 16384
/* The worker's decision, whole: 100 names, each with a finding. */
#define CS_MAX_DECISION 65536
/* One leaf of the log; a longer one stores a count and a hash instead. */
#define CS_MAX_LEAF 16384
/* The log's origin, HOST/countersign/8 hex: a host name and the rest. */
#define CS_MAX_ORIGIN 284
/* A signed note: a checkpoint, and room for witnesses' cosignatures. */
#define CS_MAX_NOTE 8192
/* A page of a list that the reader answers with. */
#define CS_MAX_PAGE (256 * 1024)
/* Items of one page, and rows that are looked at for it (a row that is read
   whole counts as eight: this is some tens of milliseconds). */
#define CS_MAX_PAGE_ITEMS 1000
#define CS_MAX_SCAN	  40000
/* Milliseconds of one page, once MIN_SCAN rows were looked at: where the disk
   is slow, pages are shorter, not later. */
#define CS_MAX_PAGE_MS 30
#define CS_MIN_SCAN    400
/* Search terms of one decision, encoded. */
#define CS_MAX_TERMS 65536
/* Recorded volatile inputs of one decision, vars and shadows included. */
#define CS_MAX_INPUTS 32768

/* One packet on a link between processes; larger goes as a sealed memfd. */
#define CS_MAX_PACKET 65536
/* One message, memfd included: the client table and a policy set. */
#define CS_MAX_MESSAGE (8 * 1024 * 1024)
/* Messages and bytes waiting to leave on one link. */
#define CS_MAX_LINK_QUEUE	4096
#define CS_MAX_LINK_QUEUE_BYTES (64 * 1024 * 1024)

/* Label values of one family of metrics; what is beyond is counted together. */
#define CS_MAX_METRIC_SERIES 256
/* The text of one room: each family with that many, and a margin. */
#define CS_MAX_METRICS (256 * 1024)

/* Requests that front keeps in flight. */
#define CS_MAX_IN_FLIGHT 128
/* An encoded REQUEST: its parts at their maxima, and a margin. */
#define CS_MAX_REQUEST_MESSAGE (CS_MAX_CSR_PEM + 2 * CS_MAX_SCALARS + 4096)
/* Slots beyond these for abandoned requests that are driven again: clients
   that wait for one must not take the place that it needs. */
#define CS_MAX_DRIVES 16
/* Abandoned requests that wait to be driven again: at most what can have been
   in flight at a crash, with a wide margin. */
#define CS_MAX_DRIVEN 1024
/* Questions and acts of administration that front has under way. */
#define CS_MAX_QUESTIONS 64
/* Approvers that look at once at what would become of a request: a dry run
   each, beside which there is always room for requests. */
#define CS_MAX_LOOKS 16
/* OCSP requests of strangers, beside these: each is a tenth of a millisecond
   of the reader, so that a question waits for few of them. */
#define CS_MAX_OCSP_WAITS 16
/* Other questions of strangers (CRLs, tiles, checkpoints, chains), beside
   these: whatever they ask, a revocation finds a place. Each may be answered
   with a CRL of the largest size. */
#define CS_MAX_STRANGERS 32
/* Polls that wait for what comes, beside these. */
#define CS_MAX_POLLS 32
/* Decisions in one transaction. */
#define CS_MAX_BATCH 128

/* One policy or configuration file, and all of a set. */
#define CS_MAX_POLICY_FILE  (1024 * 1024)
#define CS_MAX_POLICY_SET   (4 * 1024 * 1024)
#define CS_MAX_POLICY_FILES 256
/* The name of one source: a path below the policies' directory. */
#define CS_MAX_SOURCE_NAME 255
/* Memory of a set: its documents as trees, and what they compile to. */
#define CS_MAX_POLICY_SET_ARENA (256 * 1024 * 1024)
/* Policies in one set; all of them are looked at to find ties. */
#define CS_MAX_POLICIES 1000
/*
 * Guards in one document, and fields in one guard: each is matched with every
 * request.
 */
#define CS_MAX_POLICY_GUARDS 64
#define CS_MAX_GUARD_FIELDS  32
/* Limits, and windows of time, of one policy. */
#define CS_MAX_POLICY_LIMITS 16
/* What of them goes to the ledger, encoded: rules of at most 256 octets, keys
   of at most 512. */
#define CS_MAX_LIMIT_LIST 32768
/* Vars of one policy, and all bytes of their values: they are recorded with
   every decision. */
#define CS_MAX_POLICY_VARS	 64
#define CS_MAX_POLICY_VARS_BYTES 8192
/* Policies in shadow: each that matches is judged with every request. */
#define CS_MAX_POLICY_SHADOWS 16
/* Policies of which a refusal without one tells why they do not govern. */
#define CS_MAX_POLICY_OTHERS 32
/* Codes that the record keeps of one of them. */
#define CS_MAX_SHADOW_CODES 16
/* Tables of one policy. */
#define CS_MAX_POLICY_TABLES 64
/* Texts that one literal with {{path}} in it may stand for. */
#define CS_MAX_POLICY_EXPANSION 256
/* Parts of one literal, and brackets in brackets of one path. */
#define CS_MAX_TEMPLATE_PARTS 32
#define CS_MAX_PATH_DEPTH     8
/* Problems that one load reports; the rest is counted. */
#define CS_MAX_POLICY_PROBLEMS 200
/* What loading a set tells: problems, and the list of sources. */
#define CS_MAX_POLICY_ARENA (16 * 1024 * 1024)
/* The JSON report of one load. */
#define CS_MAX_POLICY_REPORT (1024 * 1024)
/* The difference that an APPLY makes, key by key, within its leaf. */
#define CS_MAX_POLICY_DIFF 8192
/* Nodes and depth of one YAML document. */
#define CS_MAX_YAML_NODES 100000
#define CS_MAX_YAML_DEPTH 32

/* Bytes of one regular expression: a screen of alternatives. */
#define CS_MAX_REGEX_PATTERN 4096
/* States of one: an operator's counted repetition of names has under 2000;
   times the length of a text, it is the time that a match may take. */
#define CS_MAX_REGEX_STATES 8192
/* Ranges of all classes of one: \p{L} has 650. */
#define CS_MAX_REGEX_RANGES 16384
/* Groups inside groups, as in RE2. */
#define CS_MAX_REGEX_DEPTH 1000
/* Count of a repetition, nested ones multiplied, as in RE2. */
#define CS_MAX_REGEX_REPEAT 1000

/* Memory of one request in a worker. */
#define CS_MAX_REQUEST_ARENA (4 * 1024 * 1024)
/* A PEM file that we read: a chain, a key. */
#define CS_MAX_PEM_FILE (256 * 1024)
/* Certificates of one CA's chain, root included. */
#define CS_MAX_CHAIN 8
/* CRL shards of one issuer: 10^8 certificates in files of a thousand. */
#define CS_MAX_CRL_SHARDS 65536
/*
 * Entries of one CRL, and its octets: 55 an entry at most, and the whole
 * travels in one message. Who revokes more needs more shards.
 */
#define CS_MAX_CRL_ENTRIES 130000
#define CS_MAX_CRL	   (7 * 1024 * 1024)
/* Days that a CRL may be in force: those of CAs that sign offline, a year. */
#define CS_MAX_CRL_DAYS 366
/* What names a CA certificate: an issuer, `@`, a generation's number. */
#define CS_MAX_LABEL (CS_MAX_NAME + 11)
/* CRLs that the answer to a publication names one by one. */
#define CS_MAX_CRL_REPORT 256
/* A passphrase: OpenSSL takes no more from people. */
#define CS_MAX_PASSPHRASE 1024
/* Issuers in one installation. */
#define CS_MAX_ISSUERS 64
/* Generations before the present ones, of all issuers together. */
#define CS_MAX_OLDER 256
/* Worker processes. */
#define CS_MAX_WORKERS 64
/* Signer processes: more than cores do not help. */
#define CS_MAX_SIGNERS 16
/* Workers that may die within a minute before the house gives up. */
#define CS_MAX_WORKER_DEATHS 20
/* Clients, and credentials of one. */
#define CS_MAX_CLIENTS	   10000
#define CS_MAX_CREDENTIALS 32

/*
 * Client certificates: the DER of a CA that a client is bound to (RSA 4096
 * with room); how many different ones, each a chain to build for a stranger's
 * certificate; and "uri:" with a SPIFFE id (at most 2,048 bytes).
 */
#define CS_MAX_CLIENT_CA  8192
#define CS_MAX_CLIENT_CAS 64
#define CS_MAX_CLIENT_SAN (4 + CS_MAX_URI)
/*
 * Revoked certificates that have not ended, as front knows them for client
 * certificates: 8 octets each, 16 MiB in its table at most.
 */
#define CS_MAX_REVOKED_KEYS 1000000
/* What a TLS peer shows of itself: a leaf and a few CAs above it. */
#define CS_MAX_PEER_CHAIN 16384

/*
 * The Kubernetes adapter. A page of a list, or one line of a watch, and any
 * other answer of the API server: etcd holds objects of 1.5 MiB. Not more, for
 * who fills his annotations with small things makes one octet 24 in memory.
 */
#define CS_MAX_KUBE_PAGE   (4 * 1024 * 1024)
#define CS_MAX_KUBE_OBJECT (4 * 1024 * 1024)
/* Requests that are open at once; beyond, another list finds them. */
#define CS_MAX_KUBE_ITEMS 50000
/*
 * Requests that are worked on at once: in all; of one cluster issuer; of the
 * issuers of all namespaces, and of one, whose address may be anybody's, and
 * slow. So there is always room for a cluster issuer.
 */
#define CS_MAX_KUBE_BUSY	    32
#define CS_MAX_KUBE_BUSY_ISSUER	    16
#define CS_MAX_KUBE_BUSY_NAMESPACES 24
#define CS_MAX_KUBE_BUSY_NAMESPACE  4
/* Issuers of both kinds. */
#define CS_MAX_KUBE_ISSUERS 1000
/* Of those, checked at once: a descriptor and a TLS session each. */
#define CS_MAX_KUBE_CHECKS	     64
#define CS_MAX_KUBE_CHECKS_NAMESPACE 8
/* What a Retry-After may ask for: more is an outage, and we look again. */
#define CS_MAX_KUBE_RETRY_S 600
/* What cert-manager reads of a chain, and a condition's message. */
#define CS_MAX_KUBE_CHAIN   95000
#define CS_MAX_KUBE_MESSAGE 4096
/* A token, of a service account or of ours. */
#define CS_MAX_KUBE_TOKEN 16384
/* Connections of probes and scrapers. */
#define CS_MAX_KUBE_PROBES 32

#endif
