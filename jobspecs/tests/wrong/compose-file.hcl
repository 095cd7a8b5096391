version: "3.8"

services:
  web:
    image: nginx:1.27
    ports:
      - "8080:80"
    restart: always
