// Holds the certificate of the HTTP/2 listener over TLS, and its key. PUBLIC TEST KEY: everybody has it, it
// protects nothing, and it is valid for localhost, 127.0.0.1 and ::1. HTTP/2 in browsers and most clients
// needs TLS, and Node cannot make a certificate by itself. A client is to trust this one certificate
// (`Endpoint.certificate`), never to switch its checks off. It is not an authority, so trusting it vouches
// for no other. Made once, valid for a hundred years, with:
//
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \
//     -subj /CN=localhost \
//     -addext subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1 -addext basicConstraints=critical,CA:FALSE \
//     -addext extendedKeyUsage=serverAuth -keyout key.pem -out certificate.pem

export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBwDCCAWegAwIBAgIULhZS08Kx2eDxyb5R6eCS3Uu8DiQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTE4NTUzOVoYDzIxMjYxMTA1
MTg1NTM5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT/QozjcYE7ZmVdomF3Xip4kHY09lSlBF0/HF60jGGr0NH35HCwcYUX
EJUYOIvvxmPNCSWzWYsniqe1U6z2vhe9o4GUMIGRMB0GA1UdDgQWBBRlSxYmLPCd
BFw0pRLAErEjwzxB5DAfBgNVHSMEGDAWgBRlSxYmLPCdBFw0pRLAErEjwzxB5DAs
BgNVHREEJTAjgglsb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwDAYD
VR0TAQH/BAIwADATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgNHADBE
AiBPqXDBLFpYlJHthHK/IbMqLgvK5lARwEH9S87qPim5xgIgDC4m4b8pLRd5o5Ul
5FpuQdRmdmh/Lt5QeJTZj96uxuE=
-----END CERTIFICATE-----
`;

export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmGIF/hPuijX1kqYE
zoEUAhvuUuchAIVbrVuz53X4ec6hRANCAAT/QozjcYE7ZmVdomF3Xip4kHY09lSl
BF0/HF60jGGr0NH35HCwcYUXEJUYOIvvxmPNCSWzWYsniqe1U6z2vhe9
-----END PRIVATE KEY-----
`;
