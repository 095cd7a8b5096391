# A key that was made for this file and is used nowhere else.
locals {
  key = <<-EOT
    -----BEGIN RSA PRIVATE KEY-----
    MIIEowIBAAKCAQEAjN2x9M74Gk2zd+sbPFczpUPuoA+t0RCjIssGUIbP0DTLXmQT
    3ljq9yvQCiB7+Nz/bzeoAvTdf6fkAGgM67NHbhRQmwutt1MGA6N5mxnkNFVikV2o
    1ph1rQMXaQnyVcfqgoTOi9VhTWAPWASom8pcoKfG7isxHpD1/zNtTKkwWXetV2Uu
    5/SnuprgZP0dQf4p0wf76oDYIqmUL3f4eqvkaJHBvV8SVFtX6euUAfeCwlcwnDFh
    SDGaOhc0zczdvUoKHDxVJTSbSpfE0H5gf0YUHJvjW+aJWqFFi2u/daO3+U3z4ZGy
    A25vAJKDeNz+i6FNdXHj9a6IMvziZP6pEQqmzwIDAQABAoIBAEGG5z8v/+2Mc423
    CiZZkiawoRJH+N0l1h1bQAa5j3YU+P1hpHRr/HEaKl5rmf+8Hf6Ib1lguqClYsRl
    oo0KCpJEVPKqzhZXQpbytqDVvHgzt/RTEzUwGp1usLcl71rD8mzghow5qFer9bdG
    A4Dk842wPjOQV/sWB7i9HXzpvxn+hwyVqmUlvlPxk19TrbdZbpOLrpiNX9eJnjkE
    MAQ1eWzdyD0BWH6XCMN2Booa6BA8i3TK/xitsQNxww73yrc74nt7Nh4i90j32C1x
    m3prp1+V56M8gm65JNMcZGYOBOfCWNypDP8+gZ4UKUhjtxLkft3ECAEmHf+3ZQ5v
    JP4tg5ECgYEAxbZUWX8IX+fnC1yIYzcJhS+jyPCsLUGh248OTU1J7Qr4AwJCCOtu
    +xgy062iWR4lm5llQZ1+/2XjHR2vqhHIx6cMVtGdq+5OreiXpP8sFSpqs3VInKQL
    JakQknaOD1Ht/SzVYXtJ4UGkjDoKQFRRvm4aE6Ro/v5lc8J3Hm/2MpsCgYEAtmUW
    FQVdCzsU6SDqt3+IuL/9jKPo6yCixVoBol+i6f6IdEHPP5b6X+wMih2JW91KShzT
    PttphG6j2ziloIHQ0WbhjJ2lB9Bghm2N8s4E2myY4ip3P96lJIi/LMY7PK7ntY0i
    ep3Yd4nX/K6maOlFGQLIvhXePVQv7/izae+S1d0CgYA+gtx+g3SxZhAd/n6859zh
    uGNPmBDIKlUzpzJ9bG9wPCSYRvF8AnxPdaI0XVTUWnzHiqOCMHrD44IAZa9x1Ten
    MIDtPk9c2fcUc1Lm/yr/8i5UWUPBCvjfSmoL9OILo/rcLn202ZdNWkTddUhieIZz
    8DncdgIghWysQhMJk5rC+wKBgGmZNuKuu0LATwf2Fc5tWQPVq/8b+sL+nx5xUNbo
    VdLxmaDtZQbk60pTyKLCHP+Bq/wimi8fKwUQZW+LaWD3J6XE0brunlhazTem//Le
    UjL/grgWa/ofdi8juMM8dZlZji8vahHhhy0WMmVJ3HCK9YVYdk6PLJ8HOcXOkFk5
    6iJFAoGBAL22Kn7Mvg0WXTlBPnekkOGdXDvIuaDl6fokHLTQQK5XQtdUHCKyjp6N
    dE6CBSnI33ZasTmZ2h5WS+W1Zx58+9zESVjIlIA6ZzHkO1/2Zui4OlyrTt3bCIrA
    YX112sOqcSASdysCHL+imgZxh7hpl/i+NCnu418bbE3OJFoqWB9M
    -----END RSA PRIVATE KEY-----
  EOT
  secret = rsadecrypt("Dif38JUB+LC/XgUwXNzNAjJZq1tRTbAUAvL8xEN+DdoABzzT4xPkrTycYp26anUqGxblvINRT3uEdNmjZnkXztD54/5KC+T/JeSPWODJMRvOiawBDyz7awzU+WZgYM/fvog/9XYhetdEoZFRTp4Zqz9V0RRGAGam9axvQV4ZZ8swboin/L//0X3u6BkQRzoEDQ5Gltdt71+Pvbx6cibU0vkHIkucSFzvfygWBuPlII64qayDv6pN52NupnmxKgdZcV0CAYhUcY2ni53RL/71IrAPhyjhdFrXI5sL/zvvZH4k347Z8+laoKcHZXvFpAo1/7OO6oS0lIZ0IWwAmDYI+w==", local.key)
}

job "rsa" {
  group "g" {
    task "t" {
      driver = "docker"
      config {
        image = "alpine:3.20"
      }
      env {
        PASSPHRASE = local.secret
      }
    }
  }
}
