package config

// optionsDHCP is the options of DHCPv4 (dhcp-options(5), STANDARD DHCPV4
// OPTIONS; RFC 2132 and its successors): code, name, format.
const optionsDHCP = `
1 subnet-mask I
2 time-offset l
3 routers IA
4 time-servers IA
5 ien116-name-servers IA
6 domain-name-servers IA
7 log-servers IA
8 cookie-servers IA
9 lpr-servers IA
10 impress-servers IA
11 resource-location-servers IA
12 host-name t
13 boot-size S
14 merit-dump t
15 domain-name t
16 swap-server I
17 root-path t
18 extensions-path t
19 ip-forwarding f
20 non-local-source-routing f
21 policy-filter IIA
22 max-dgram-reassembly S
23 default-ip-ttl B
24 path-mtu-aging-timeout L
25 path-mtu-plateau-table SA
26 interface-mtu S
27 all-subnets-local f
28 broadcast-address I
29 perform-mask-discovery f
30 mask-supplier f
31 router-discovery f
32 router-solicitation-address I
33 static-routes IIA
34 trailer-encapsulation f
35 arp-cache-timeout L
36 ieee802-3-encapsulation f
37 default-tcp-ttl B
38 tcp-keepalive-interval L
39 tcp-keepalive-garbage f
40 nis-domain t
41 nis-servers IA
42 ntp-servers IA
43 vendor-encapsulated-options E
44 netbios-name-servers IA
45 netbios-dd-server IA
46 netbios-node-type B
47 netbios-scope t
48 font-servers IA
49 x-display-manager IA
50 dhcp-requested-address I
51 dhcp-lease-time L
52 dhcp-option-overload B
53 dhcp-message-type B
54 dhcp-server-identifier I
55 dhcp-parameter-request-list BA
56 dhcp-message t
57 dhcp-max-message-size S
58 dhcp-renewal-time L
59 dhcp-rebinding-time L
60 vendor-class-identifier X
61 dhcp-client-identifier X
62 nwip-domain t
63 nwip-suboptions E
64 nisplus-domain t
65 nisplus-servers IA
66 tftp-server-name t
67 bootfile-name t
68 mobile-ip-home-agent IA
69 smtp-server IA
70 pop-server IA
71 nntp-server IA
72 www-server IA
73 finger-server IA
74 irc-server IA
75 streettalk-server IA
76 streettalk-directory-assistance-server IA
77 user-class t
78 slp-directory-agent fIa
79 slp-service-scope fto
81 fqdn E
82 relay-agent-information E
85 nds-servers IA
86 nds-tree-name t
87 nds-context t
88 bcms-controller-names D
89 bcms-controller-address Ia
91 client-last-transaction-time L
92 associated-ip Ia
93 pxe-system-type Sa
94 pxe-interface-id BBB
97 pxe-client-id BX
98 uap-servers t
99 geoconf-civic X
100 pcode t
101 tcode t
108 v6-only-preferred L
112 netinfo-server-address Ia
113 netinfo-server-tag t
114 default-url t
116 auto-config B
117 name-service-search Sa
118 subnet-selection I
119 domain-search Dc
124 vivco E
125 vivso E
136 pana-agent Ia
137 v4-lost d
138 capwap-ac-v4 Ia
141 sip-ua-cs-domains Dc
142 ipv4-address-andsf IA
146 rdnss-selection BIID
150 tftp-server-address Ia
159 v4-portparams BBS
160 v4-captive-portal t
209 loader-configfile t
210 loader-pathprefix t
211 loader-reboottime L
212 option-6rd BB6Ia
213 v4-access-domain d
`

// optionsAgent is the sub-options of option 82 (RFC 3046, 3527, 8357).
const optionsAgent = `
1 circuit-id X
2 remote-id X
3 agent-id I
4 DOCSIS-device-class L
5 link-selection I
19 relay-port Z
`

// optionsFQDN is the parts of option 81 by the numbers that dhcpd gives them; on
// the wire they are one fixed layout (RFC 4702).
const optionsFQDN = `
1 no-client-update f
2 server-update f
3 encoded f
4 rcode1 B
5 rcode2 B
6 hostname t
7 domainname t
8 fqdn t
`

// optionsNetWare is the sub-options of option 63 (RFC 2242).
const optionsNetWare = `
5 nsq-broadcast f
6 preferred-dss IA
7 nearest-nwip-server IA
8 autoretries B
9 autoretry-secs B
10 nwip-1-1 f
11 primary-dss I
`

// optionsVIVCO is the vendor classes of option 124 by enterprise number (RFC 3925).
const optionsVIVCO = `
2495 isc X
`

// optionsVIVSO is the vendor options of option 125 by enterprise number (RFC 3925).
const optionsVIVSO = `
2495 isc E
`

// optionsISC is what enterprise number 2495 encapsulates.
const optionsISC = `
1 media t
2 update-assist X
`
